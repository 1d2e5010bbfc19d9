from django.core.management import call_command
from django.test import TestCase
from django.urls import reverse

from tasks.management.commands.schedule import Command as Scheduler
from tasks.management.commands.work import Command as Worker
from tasks.models import Job, Shift, Turn


class Jobs(TestCase):
    def test_what_is_asked_for_is_done_in_order(self):
        for text in ("first", "second"):
            self.client.post(reverse("tasks:create"), {"text": text})
        self.assertTrue(Worker().do_one())
        self.assertEqual([job.done is not None for job in Job.objects.order_by("pk")], [True, False])
        self.assertTrue(Worker().do_one())
        self.assertFalse(Worker().do_one())
        self.assertContains(self.client.get(reverse("tasks:list")), "done by")

    def test_the_scheduler_adds_one_job_at_a_time(self):
        shift = Shift.objects.create(unit="here", alone=Scheduler().is_alone())
        Scheduler().beat(shift)
        Scheduler().beat(shift)
        self.assertEqual(Job.objects.count(), 1)
        self.assertTrue(shift.alone)
        self.assertContains(self.client.get(reverse("tasks:list")), "here since")

    def test_there_is_one_turn(self):
        self.assertEqual(Turn.objects.count(), 1)

    def test_migrations_are_complete(self):
        call_command("makemigrations", "--check", "--dry-run", verbosity=0)
