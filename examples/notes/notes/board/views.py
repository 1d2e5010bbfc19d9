from django.conf import settings
from django.db import connection
from django.http import JsonResponse
from django.urls import reverse_lazy
from django.views.generic import CreateView, DeleteView, ListView, UpdateView

from board.models import Note


class NoteList(ListView):
    model = Note
    extra_context = {"greeting": settings.GREETING}


class NoteCreate(CreateView):
    model = Note
    fields = ["title", "body"]
    success_url = reverse_lazy("board:list")


class NoteEdit(UpdateView):
    model = Note
    fields = ["title", "body"]
    success_url = reverse_lazy("board:list")


class NoteDelete(DeleteView):
    model = Note
    success_url = reverse_lazy("board:list")


def healthz(request):
    """Answer 200 when the database answers, with the kind of database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok", "database": connection.vendor})
