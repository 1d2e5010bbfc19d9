"""The WSGI application, as the rock starts it: jobs.wsgi:application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobs.settings")

application = get_wsgi_application()
