from django.contrib import admin
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path


def front(request):
    return render(request, "shop/front.html", {"visits": cache.get_or_set("visits", 1)})


def health(request):
    return HttpResponse("well")


urlpatterns = [path("", front, name="front"), path("health/", health), path("admin/", admin.site.urls)]
