from django.db import connection
from django.shortcuts import render

from .models import Tour


def index(request):
    return render(request, "tours/index.html", {"items": Tour.objects.all(), "vendor": connection.vendor})
