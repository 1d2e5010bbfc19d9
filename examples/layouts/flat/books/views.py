from django.db import connection
from django.shortcuts import render

from .models import Book


def index(request):
    return render(request, "books/index.html", {"items": Book.objects.all(), "vendor": connection.vendor})
