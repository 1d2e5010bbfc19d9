from django.contrib import admin
from django.http import HttpResponse
from django.urls import path


def front(request):
    greeting = request.GET["greeting"]
    return HttpResponse(greeting)


urlpatterns = [path("", front), path("admin/", admin.site.urls)]
