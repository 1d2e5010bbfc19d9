from django.db import connection
from django.shortcuts import render

from .models import Tick


def index(request):
    return render(request, "ticks/index.html", {"items": Tick.objects.all(), "vendor": connection.vendor})
