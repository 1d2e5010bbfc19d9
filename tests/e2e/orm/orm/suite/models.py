"""A library: every kind of field and constraint that projects use."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower


class Author(models.Model):
    name = models.CharField(max_length=100, unique=True)
    born = models.DateField(null=True)


class Tag(models.Model):
    word = models.SlugField(unique=True)


class Book(models.Model):
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="books")
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    tax = models.GeneratedField(
        expression=F("price") * 2, output_field=models.DecimalField(max_digits=9, decimal_places=2), db_persist=True
    )
    copies = models.PositiveIntegerField(default=0)
    published = models.DateTimeField(null=True)
    reading = models.DurationField(null=True)
    cover = models.BinaryField(default=b"")
    weight = models.FloatField(default=0.5)
    lent = models.BooleanField(default=False)
    data = models.JSONField(default=dict, null=True)
    tags = models.ManyToManyField(Tag, related_name="books")

    class Meta:
        ordering = ("title",)
        indexes = (models.Index(fields=("author", "-published"), name="book_author_published"),)
        constraints = (
            models.UniqueConstraint(fields=("author", "title"), name="book_once_per_author"),
            models.CheckConstraint(condition=Q(price__gte=0), name="book_price_not_negative"),
        )


class Reservation(models.Model):
    """Constraints that not every server has: Django leaves out those that this one lacks."""

    book = models.ForeignKey(Book, on_delete=models.CASCADE)
    reader = models.CharField(max_length=50)
    open = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("book",), condition=Q(open=True), name="one_open_reservation"),
            models.UniqueConstraint(Lower("reader"), "book", name="one_per_reader"),
        )


class Account(models.Model):
    name = models.CharField(max_length=20, unique=True)
    balance = models.IntegerField(default=0)
