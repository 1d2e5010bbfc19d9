from django.conf import settings
from django.views.generic import CreateView, ListView

from tasks.models import Job, Shift


class JobList(ListView):
    model = Job
    paginate_by = 50

    def get_context_data(self, **kwargs):
        return super().get_context_data(motto=settings.MOTTO, shift=Shift.objects.last(), **kwargs)


class JobCreate(CreateView):
    model = Job
    fields = ["text"]
