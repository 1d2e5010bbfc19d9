"""One page: which driver, which server."""

from django.db import connection
from django.http import HttpResponse
from django.urls import path
from suite.models import Author


def page(_request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        (version,) = cursor.fetchone()
    driver = connection.Database
    words = (connection.vendor, version, driver.__name__, str(getattr(driver, "__file__", "")), Author.objects.count())
    return HttpResponse("\n".join(map(str, words)), content_type="text/plain")


urlpatterns = [path("", page)]
