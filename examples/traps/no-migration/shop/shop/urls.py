from django.contrib import admin
from django.http import HttpResponse
from django.urls import path

from shop.models import Item


def front(request):
    return HttpResponse(f"{Item.objects.count()} items")


urlpatterns = [path("", front), path("admin/", admin.site.urls)]
