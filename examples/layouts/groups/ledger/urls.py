from django.contrib import admin
from django.urls import path

from entries import views

urlpatterns = [path("", views.index), path("admin/", admin.site.urls)]
