from django.db import connection
from django.shortcuts import render

from .models import Good


def index(request):
    return render(request, "goods/index.html", {"items": Good.objects.all(), "vendor": connection.vendor})
