from django.db import connection
from django.shortcuts import render

from .models import Tree


def index(request):
    return render(request, "trees/index.html", {"items": Tree.objects.all(), "vendor": connection.vendor})
