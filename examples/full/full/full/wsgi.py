"""The WSGI application, as the rock starts it: full.wsgi:application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "full.settings")

application = get_wsgi_application()
