"""What the server itself refuses, and what `inspectdb` reads of it."""

import io

from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test import TransactionTestCase

from suite.models import Account, Author, Book, Reservation


class Constraints(TransactionTestCase):
    def setUp(self):
        self.author = Author.objects.create(name="first")
        self.book = Book.objects.create(author=self.author, title="one", price=1)

    def refused(self, work, error=IntegrityError):
        with self.assertRaises(error), transaction.atomic():
            work()

    def test_unique_check_and_not_null(self):
        self.refused(lambda: Author.objects.create(name="first"))
        self.refused(lambda: Book.objects.create(author=self.author, title="one", price=2))
        self.refused(lambda: Book.objects.create(author=self.author, title="two", price=-1))
        self.refused(lambda: Book.objects.update(price=-1))
        self.refused(lambda: Book.objects.update(title=None))
        self.refused(
            lambda: Book.objects.create(author=self.author, title="three", price=1, copies=-1), self.unsigned()
        )
        self.assertEqual(Book.objects.count(), 1)

    @staticmethod
    def unsigned():
        return (IntegrityError, DataError) if connection.vendor == "mysql" else IntegrityError

    def test_validation_knows_the_same_constraints(self):
        for book in (Book(author=self.author, title="one", price=1), Book(author=self.author, title="two", price=-1)):
            with self.assertRaises(ValidationError):
                book.validate_constraints()

    def test_too_long_is_an_error_and_not_cut(self):
        self.refused(lambda: Account.objects.create(name="x" * 21), DataError)

    def test_foreign_keys(self):
        self.refused(self.author.delete, ProtectedError)

        def behind_djangos_back():
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM suite_author")
                connection.check_constraints()

        self.refused(behind_djangos_back)
        self.refused(lambda: Reservation.objects.create(book_id=self.book.pk + 1000))
        Reservation.objects.create(book=self.book, reader="x")
        self.book.delete()
        self.assertFalse(Reservation.objects.exists())

    def test_constraints_on_some_rows_and_on_expressions_where_the_server_has_them(self):
        Reservation.objects.create(book=self.book, reader="Ann")
        if connection.features.supports_partial_indexes:
            self.refused(lambda: Reservation.objects.create(book=self.book, reader="Bob"))
        Reservation.objects.create(book=self.book, reader="Bob", open=False)
        if connection.features.supports_expression_indexes:
            self.refused(lambda: Reservation.objects.create(book=self.book, reader="ANN", open=False))
        else:
            Reservation.objects.create(book=self.book, reader="ANN", open=False)


class Inspection(TransactionTestCase):
    def test_inspectdb_writes_models_that_read_the_same_rows(self):
        Account.objects.create(name="seen", balance=5)
        text = io.StringIO()
        call_command("inspectdb", stdout=text)
        written = text.getvalue()
        for line in (
            "class SuiteBook(models.Model):",
            "author = models.ForeignKey(SuiteAuthor, models.DO_NOTHING)",
            "key = models.UUIDField(unique=True)" if connection.features.has_native_uuid_field else "key = models.Char",
            "price = models.DecimalField(max_digits=8, decimal_places=2)",
            "data = models.JSONField(blank=True, null=True)",
            "unique_together = (('author', 'title'),)",
            "managed = False",
        ):
            self.assertIn(line, written)
        made = {"__name__": "suite.inspected"}
        single = written[written.index("class SuiteAccount(") :].split("\n\n\n", maxsplit=1)[0]
        source = "from django.db import models\n\n" + single.replace(
            "class Meta:", 'class Meta:\n        app_label = "i"'
        )
        exec(compile(source, "inspected.py", "exec"), made)  # what inspectdb has just written
        self.assertEqual(list(made["SuiteAccount"].objects.values_list("name", "balance")), [("seen", 5)])
