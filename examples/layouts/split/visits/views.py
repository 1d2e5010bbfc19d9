from django.db import connection
from django.shortcuts import render

from .models import Visit


def index(request):
    return render(request, "visits/index.html", {"items": Visit.objects.all(), "vendor": connection.vendor})
