from django.db import connection
from django.shortcuts import render

from .models import Answer


def index(request):
    return render(request, "answers/index.html", {"items": Answer.objects.all(), "vendor": connection.vendor})
