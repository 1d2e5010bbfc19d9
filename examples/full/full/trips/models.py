from django.db import models


class Visit(models.Model):
    """A row in PostgreSQL: somebody asked for the page."""

    facts = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)


class Reading(models.Model):
    """A row in MySQL."""

    value = models.IntegerField()
    unit = models.CharField(max_length=40)
    at = models.DateTimeField(auto_now_add=True)


class Done(models.Model):
    """What the worker did: one row for each word it was sent, and one for each tick of the scheduler."""

    word = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField(auto_now=True)


class Upload(models.Model):
    """A file that somebody uploaded; its content is in S3."""

    file = models.FileField(upload_to="uploads/")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]
