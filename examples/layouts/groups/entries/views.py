from django.db import connection
from django.shortcuts import render

from .models import Entry


def index(request):
    return render(request, "entries/index.html", {"items": Entry.objects.all(), "vendor": connection.vendor})
