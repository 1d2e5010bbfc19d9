"""The WSGI application, as the rock starts it: orm.wsgi:application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orm.settings")

application = get_wsgi_application()
