import os
from urllib.parse import urlsplit

from django.contrib import admin
from django.shortcuts import render
from django.urls import include, path


def front(request):
    return render(request, "shop/front.html", {"visits": 1})


pages = [path("", front, name="front"), path("admin/", admin.site.urls)]
below = urlsplit(os.environ.get("DJANGO_BASE_URL", "")).path.strip("/")
urlpatterns = [path(f"{below}/", include(pages))] if below else pages
