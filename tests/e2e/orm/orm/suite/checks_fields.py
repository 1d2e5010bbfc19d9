"""Fields: what goes in comes out, and can be asked for; JSON above all."""

import datetime as dt
import uuid
from decimal import Decimal

from django.db import connection
from django.db.models import F, JSONField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, JSONObject
from django.test import TestCase

from suite.models import Author, Book

MOMENT = dt.datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=dt.timezone.utc)


class Fields(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.author = Author.objects.create(name="Zoë Ångström 🙂", born=dt.date(1901, 1, 31))
        cls.book = Book.objects.create(
            author=cls.author,
            title="Été – 北京 🙂",
            text="x" * 100_000,
            price=Decimal("12.34"),
            copies=3,
            published=MOMENT,
            reading=dt.timedelta(days=3, microseconds=7),
            cover=bytes(range(256)),
            weight=1 / 3,
            lent=True,
        )

    def test_every_kind_comes_back_as_it_was(self):
        read = Book.objects.select_related("author").get()
        for name in ("key", "title", "text", "price", "copies", "published", "reading", "weight", "lent"):
            self.assertEqual(getattr(read, name), getattr(self.book, name), name)
        self.assertEqual(bytes(read.cover), self.book.cover)
        self.assertEqual((read.author.name, read.author.born), (self.author.name, self.author.born))
        self.assertIsInstance(read.key, uuid.UUID)

    def test_a_generated_field_is_the_servers(self):
        self.assertEqual(Book.objects.get().tax, Decimal("24.68"))
        Book.objects.update(price=Decimal("1.50"))
        self.assertEqual(Book.objects.get(tax=3).price, Decimal("1.50"))

    def test_every_kind_can_be_asked_for(self):
        for wanted in (
            {"key": self.book.key},
            {"published": MOMENT},
            {"published__date": MOMENT.date()},
            {"published__hour": 23},
            {"reading__gt": dt.timedelta(days=2)},
            {"cover": self.book.cover},
            {"price__range": ("12.33", "12.35")},
            {"lent": True},
            {"title__contains": "北京"},
            {"title__icontains": "éTÉ"},
            {"title__regex": "^É[a-z]"},
            {"title__endswith": "🙂"},
            {"author__name__startswith": "Zoë"},
        ):
            self.assertEqual(Book.objects.filter(**wanted).count(), 1, wanted)

    def test_one_emoji_is_not_another(self):
        self.assertFalse(Author.objects.filter(name="Zoë Ångström 😀").exists())


class Json(TestCase):
    @classmethod
    def setUpTestData(cls):
        author = Author.objects.create(name="someone")
        for title, data in {
            "a": {"size": {"cm": 20}, "list": [1, 2, {"x": "é 🙂"}], "on": True, "none": None},
            "b": {"size": {"cm": 5}, "list": [], "on": False, "text": "5"},
            "c": [1, 2, 3],
            "d": "word",
            "e": None,
        }.items():
            Book.objects.create(author=author, title=title, price=1, data=data)
        Book.objects.create(author=author, title="f", price=1, data=Value(None, JSONField()))

    def titles(self, **wanted):
        return "".join(Book.objects.filter(**wanted).values_list("title", flat=True))

    def test_documents_come_back_as_they_were(self):
        read = dict(Book.objects.values_list("title", "data"))
        self.assertEqual(read["a"]["list"][2], {"x": "é 🙂"})
        self.assertIs(read["a"]["on"], True)
        self.assertEqual((read["c"], read["d"], read["e"]), ([1, 2, 3], "word", None))

    def test_paths(self):
        self.assertEqual(self.titles(data__size__cm=20), "a")
        self.assertEqual(self.titles(data__size__cm__lt=10), "b")
        self.assertEqual(self.titles(data__list__2__x="é 🙂"), "a")
        self.assertEqual(self.titles(data__1=2), "c")
        self.assertEqual(self.titles(data__text="5"), "b")
        self.assertEqual(self.titles(data__text__in=["5", "6"]), "b")
        self.assertEqual(self.titles(data__on=True), "a")
        self.assertEqual(self.titles(data="word"), "d")

    def test_null_in_json_is_not_null_in_sql(self):
        self.assertEqual(self.titles(data__isnull=True), "e")
        self.assertEqual(self.titles(data__none=None), "a")
        self.assertEqual(self.titles(data__none__isnull=False), "a")
        self.assertEqual(self.titles(data=Value(None, JSONField())), "f")

    def test_keys_and_containment(self):
        self.assertEqual(self.titles(data__has_key="size"), "ab")
        self.assertEqual(self.titles(data__has_keys=["size", "text"]), "b")
        self.assertEqual(self.titles(data__has_any_keys=["none", "text"]), "ab")
        self.assertEqual(self.titles(data__contains={"size": {"cm": 5}}), "b")
        self.assertEqual(self.titles(data__contained_by=[1, 2, 3, 4]), "c")
        self.assertEqual(self.titles(data__text__icontains="5"), "b")

    def test_values_are_read_and_made_by_the_server(self):
        books = Book.objects.filter(title__in="ab").order_by(KT("data__size__cm"))
        self.assertEqual(list(books.values_list(KT("data__size__cm"), flat=True)), ["20", "5"])
        made = Book.objects.annotate(made=JSONObject(name=F("title"), copies=F("copies"))).first()
        self.assertEqual(made.made, {"name": "a", "copies": 0})

    def test_a_document_is_replaced_and_emptied(self):
        book = Book.objects.get(title="a")
        book.data["size"]["cm"] = 21
        book.save(update_fields=["data"])
        self.assertEqual(self.titles(data__size__cm=21), "a")
        Book.objects.filter(title="a").update(data=Cast(Value("[7]"), JSONField()) if self.casts() else [7])
        self.assertEqual(Book.objects.get(title="a").data, [7])

    @staticmethod
    def casts():
        return connection.vendor == "postgresql"
