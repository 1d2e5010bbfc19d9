"""Queries: joins, groups, windows, sets, many rows at once, and searching words."""

import datetime as dt
import unittest
from decimal import Decimal

from django.db import connection
from django.db.models import Avg, Case, Count, Exists, F, OuterRef, Q, Subquery, Sum, Value, When, Window
from django.db.models.functions import Coalesce, Concat, ExtractYear, Lower, RowNumber, TruncMonth
from django.test import TestCase

from suite.models import Account, Author, Book, Tag

POSTGRESQL = connection.vendor == "postgresql"


class Queries(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ann, cls.bob = (Author.objects.create(name=name) for name in ("Ann", "Bob"))
        cls.none = Author.objects.create(name="Nobody")
        for number in range(1, 7):
            book = Book.objects.create(
                author=cls.ann if number % 2 else cls.bob,
                title=f"Book {number}",
                text="The quick brown fox" if number == 3 else "A lazy dog sleeps",
                price=Decimal(number),
                published=dt.datetime(2026, number, 1, tzinfo=dt.timezone.utc),
            )
            book.tags.set(Tag.objects.get_or_create(word=word)[0] for word in ("all", f"n{number % 3}"))

    def test_groups(self):
        authors = Author.objects.annotate(count=Count("books"), sum=Sum("books__price"), mean=Avg("books__price"))
        self.assertEqual(
            list(authors.order_by("name").values_list("name", "count", "sum")),
            [("Ann", 3, Decimal(9)), ("Bob", 3, Decimal(12)), ("Nobody", 0, None)],
        )
        self.assertEqual(authors.filter(count__gt=0, mean__gt=3).get(), self.bob)
        self.assertEqual(Tag.objects.annotate(count=Count("books")).get(word="all").count, 6)
        self.assertEqual(Book.objects.aggregate(all=Sum("price", filter=Q(author=self.ann)))["all"], 9)

    def test_a_group_by_model_with_all_its_columns(self):
        books = Book.objects.annotate(count=Count("tags", distinct=True)).filter(count=2)
        self.assertEqual([book.title for book in books], [f"Book {number}" for number in range(1, 7)])

    def test_subqueries(self):
        dearest = Book.objects.filter(author=OuterRef("pk")).order_by("-price").values("title")[:1]
        authors = Author.objects.annotate(top=Subquery(dearest), any=Exists(Book.objects.filter(author=OuterRef("pk"))))
        self.assertEqual(
            list(authors.order_by("name").values_list("top", "any")),
            [("Book 5", True), ("Book 6", True), (None, False)],
        )

    def test_windows(self):
        place = Window(RowNumber(), partition_by=F("author"), order_by=F("price").desc())
        found = Book.objects.annotate(place=place).filter(place=1).order_by("title")
        self.assertEqual([book.title for book in found], ["Book 5", "Book 6"])

    def test_expressions_and_dates(self):
        book = Book.objects.annotate(
            words=Concat(Lower("title"), Value("/"), "author__name"),
            year=ExtractYear("published"),
            month=TruncMonth("published"),
            kind=Case(When(price__gt=3, then=Value("dear")), default=Value("cheap")),
            when=Coalesce("author__born", dt.date(1900, 1, 1)),
        ).get(title="Book 4")
        self.assertEqual((book.words, book.year, book.kind), ("book 4/Bob", 2026, "dear"))
        self.assertEqual(book.month, dt.datetime(2026, 4, 1, tzinfo=dt.timezone.utc))
        self.assertEqual(len(Book.objects.datetimes("published", "month")), 6)

    def test_sets(self):
        ann, dear = Book.objects.filter(author=self.ann), Book.objects.filter(price__gte=4)
        self.assertEqual([book.title for book in ann.intersection(dear)], ["Book 5"])
        self.assertEqual([book.title for book in ann.difference(dear).order_by("title")], ["Book 1", "Book 3"])
        self.assertEqual(ann.union(dear).count(), 5)

    def test_many_rows(self):
        Account.objects.bulk_create(Account(name=f"n{number}", balance=number) for number in range(2500))
        again = [Account(name=f"n{number}", balance=-number) for number in range(2400, 2600)]
        unique = {"unique_fields": ["name"]} if POSTGRESQL else {}
        Account.objects.bulk_create(again, update_conflicts=True, update_fields=["balance"], **unique)
        Account.objects.bulk_create(again, ignore_conflicts=True)
        self.assertEqual(Account.objects.count(), 2600)
        self.assertEqual(sum(1 for _ in Account.objects.iterator(chunk_size=500)), 2600)
        self.assertEqual(Account.objects.filter(balance__lt=0).count(), 200)
        some = list(Account.objects.filter(balance__gt=2000))
        for account in some:
            account.balance = 1
        Account.objects.bulk_update(some, ["balance"], batch_size=100)
        self.assertEqual(Account.objects.filter(balance=1).count(), len(some) + 1)

    def test_update_or_create_and_in_bulk(self):
        _, made = Account.objects.update_or_create(name="a", defaults={"balance": 1})
        account, again = Account.objects.update_or_create(name="a", defaults={"balance": 2})
        self.assertEqual((made, again, account.balance), (True, False, 2))
        self.assertEqual(Account.objects.in_bulk(["a"], field_name="name"), {"a": account})

    def test_explain(self):
        self.assertIn("suite_book", Book.objects.filter(copies=0).explain())


class Words(TestCase):
    @classmethod
    def setUpTestData(cls):
        author = Author.objects.create(name="someone")
        for title, text in (
            ("one", "The quick brown foxes jump"),
            ("two", "A lazy dog sleeps"),
            ("three", "quick dog"),
        ):
            Book.objects.create(author=author, title=title, text=text, price=1)

    @unittest.skipUnless(POSTGRESQL, "PostgreSQL's way")
    def test_search_by_vectors(self):
        from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector

        vector, query = SearchVector("title", "text", config="english"), SearchQuery("fox", config="english")
        found = Book.objects.annotate(words=vector, rank=SearchRank(vector, query)).filter(words=query)
        self.assertEqual([book.title for book in found], ["one"])
        self.assertGreater(found[0].rank, 0)


class MatchAgainst(unittest.TestCase):
    """Outside a transaction: InnoDB adds to the index of words at the commit."""

    @unittest.skipIf(POSTGRESQL, "MariaDB's way")
    def test_match_against(self):
        author = Author.objects.create(name="searched")
        self.addCleanup(lambda: (Book.objects.all().delete(), author.delete()))
        for title, text in (
            ("one", "The quick brown foxes jump"),
            ("two", "A lazy dog sleeps"),
            ("three", "quick dog"),
        ):
            Book.objects.create(author=author, title=title, text=text, price=1)
        search = "SELECT title FROM suite_book WHERE MATCH (title, text) AGAINST (%s IN BOOLEAN MODE) ORDER BY title"
        for words, titles in (("fox*", ["one"]), ("+quick -dog", ["one"]), ("dog", ["three", "two"])):
            self.assertEqual([book["title"] for book in rows(search, words)], titles, words)


def rows(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
