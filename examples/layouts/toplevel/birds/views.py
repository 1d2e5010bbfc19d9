from django.db import connection
from django.shortcuts import render

from .models import Bird


def index(request):
    return render(request, "birds/index.html", {"items": Bird.objects.all(), "vendor": connection.vendor})
