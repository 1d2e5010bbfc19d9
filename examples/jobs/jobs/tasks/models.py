from django.db import models
from django.urls import reverse
from django.utils import timezone


class Job(models.Model):
    """Something to be done by a worker."""

    text = models.CharField(max_length=200)
    added = models.DateTimeField(default=timezone.now)
    done = models.DateTimeField(null=True, editable=False)
    by = models.CharField(max_length=80, blank=True, editable=False)
    """The unit whose worker did it."""

    class Meta:
        ordering = ["-pk"]

    def __str__(self):
        return self.text

    def get_absolute_url(self):
        return reverse("tasks:list")


class Turn(models.Model):
    """One row that the running scheduler keeps locked: who cannot lock it is not alone."""


class Shift(models.Model):
    """One run of a scheduler, from its first sign of life to its last."""

    unit = models.CharField(max_length=80)
    began = models.DateTimeField(default=timezone.now)
    seen = models.DateTimeField(default=timezone.now)
    alone = models.BooleanField(default=True)
    """Whether the row of Turn was free when it came."""

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return f"{self.unit} since {self.began:%H:%M:%S}"
