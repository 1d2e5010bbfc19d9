from django.db import models
from django.urls import reverse


class Note(models.Model):
    title = models.CharField(max_length=120)
    body = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-changed", "-pk"]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("board:edit", args=[self.pk])
