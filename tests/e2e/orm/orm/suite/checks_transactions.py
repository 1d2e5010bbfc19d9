"""Transactions and locks, some of them by several sessions at once."""

import threading

from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.models import F
from django.test import TransactionTestCase

from suite.models import Account


class Transactions(TransactionTestCase):
    def setUp(self):
        self.account = Account.objects.create(name="first", balance=10)

    def balance(self):
        return Account.objects.get(name="first").balance

    def test_an_exception_rolls_all_of_it_back(self):
        with self.assertRaises(KeyError), transaction.atomic():
            Account.objects.update(balance=99)
            Account.objects.create(name="second")
            raise KeyError
        self.assertEqual((self.balance(), Account.objects.count()), (10, 1))

    def test_a_savepoint_rolls_back_alone(self):
        with transaction.atomic():
            Account.objects.update(balance=11)
            with self.assertRaises(IntegrityError), transaction.atomic():
                Account.objects.create(name="first")
            Account.objects.update(balance=F("balance") + 1)
        self.assertEqual(self.balance(), 12)

    def test_after_an_error_the_transaction_takes_no_more(self):
        with transaction.atomic():
            try:
                Account.objects.create(name="first")
            except IntegrityError:
                with self.assertRaises(transaction.TransactionManagementError):
                    Account.objects.count()
            transaction.set_rollback(True)
        self.assertEqual(Account.objects.count(), 1)

    def test_what_waits_for_the_commit_runs_after_it_and_only_then(self):
        seen = []
        with transaction.atomic():
            transaction.on_commit(lambda: seen.append(connection.in_atomic_block))
            self.assertEqual(seen, [])
        self.assertEqual(seen, [False])
        with self.assertRaises(KeyError), transaction.atomic():
            transaction.on_commit(lambda: seen.append("never"))
            raise KeyError
        self.assertEqual(seen, [False])

    def test_others_see_nothing_before_the_commit(self):
        with transaction.atomic():
            Account.objects.update(balance=77)
            self.assertEqual(elsewhere(self.balance), 10)
        self.assertEqual(elsewhere(self.balance), 77)


class Locks(TransactionTestCase):
    def setUp(self):
        Account.objects.create(name="first")
        Account.objects.create(name="second")

    def test_concurrent_select_for_update_loses_nothing(self):
        def deposit():
            for _ in range(25):
                with transaction.atomic():
                    account = Account.objects.select_for_update().get(name="first")
                    account.balance += 1
                    account.save()

        together(*[deposit] * 4)
        self.assertEqual(Account.objects.get(name="first").balance, 100)

    def test_a_locked_row_is_refused_or_left_out_at_once(self):
        def refused():
            with transaction.atomic(), self.assertRaises(OperationalError):
                list(Account.objects.select_for_update(nowait=True).filter(name="first"))

        def left_out():
            with transaction.atomic():
                return [
                    account.name for account in Account.objects.select_for_update(skip_locked=True).order_by("name")
                ]

        with transaction.atomic():
            Account.objects.select_for_update().get(name="first")
            elsewhere(refused)
            self.assertEqual(elsewhere(left_out), ["second"])

    def test_a_deadlock_ends_one_of_the_two(self):
        both, ended = threading.Barrier(2), []

        def lock(first, second):
            try:
                with transaction.atomic():
                    Account.objects.select_for_update().get(name=first)
                    both.wait(20)
                    Account.objects.filter(name=second).update(balance=F("balance") + 1)
            except (OperationalError, DatabaseError) as error:
                ended.append(error)

        together(lambda: lock("first", "second"), lambda: lock("second", "first"))
        self.assertEqual(len(ended), 1, ended)
        self.assertEqual(sorted(Account.objects.values_list("balance", flat=True)), [0, 1])

    def test_get_or_create_makes_one_for_all(self):
        made = []
        together(*[lambda: made.append(Account.objects.get_or_create(name="third")[1])] * 4)
        self.assertEqual((sorted(made), Account.objects.filter(name="third").count()), ([False] * 3 + [True], 1))


def together(*works):
    """Run works at once, each with a connection of its own; the first error is raised."""
    errors = []

    def run(work):
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "it hangs"
    if errors:
        raise errors[0]


def elsewhere(work):
    """Return what `work` returns by another connection."""
    answers = []
    together(lambda: answers.append(work()))
    return answers[0]
