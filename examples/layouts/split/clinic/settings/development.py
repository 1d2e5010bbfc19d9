from .base import *

DEBUG = True
SECRET_KEY = "only-for-a-laptop"
ALLOWED_HOSTS = ["*"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
