import logging

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from tasks.models import Job
from tasks.running import ending, unit

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Do jobs, one after the other, until SIGTERM."

    def handle(self, **options):
        end = ending()
        logger.info("worker on %s is ready", unit())
        while not end.is_set():
            if not self.do_one():
                end.wait(0.5)
        logger.info("worker has ended")

    @transaction.atomic
    def do_one(self):
        """Do the oldest job that no other worker holds; return whether there was one."""
        job = Job.objects.select_for_update(skip_locked=True).filter(done=None).order_by("pk").first()
        if job is None:
            return False
        job.done, job.by = timezone.now(), unit()
        job.save()
        return True
