"""The project: Celery's application is loaded with it, so that tasks find it."""

import pymysql

# Django's MySQL backend asks for mysqlclient, which has no wheel: PyMySQL says that it is it.
pymysql.install_as_MySQLdb()

from full.celery import app as celery_app  # noqa: E402  # Celery needs the settings, and they the line above

__all__ = ("celery_app",)
