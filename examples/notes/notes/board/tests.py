from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client, TestCase
from django.urls import reverse

from board.models import Note


class Pages(TestCase):
    def test_front_page_greets_and_lists(self):
        Note.objects.create(title="Milk", body="two bottles")
        response = self.client.get(reverse("board:list"))
        self.assertContains(response, "Hello")
        self.assertContains(response, "Milk")

    def test_create_edit_delete(self):
        self.client.post(reverse("board:create"), {"title": "Bread", "body": ""})
        note = Note.objects.get()
        self.client.post(reverse("board:edit", args=[note.pk]), {"title": "Rye bread", "body": "one"})
        note.refresh_from_db()
        self.assertEqual((note.title, note.body), ("Rye bread", "one"))
        self.client.post(reverse("board:delete", args=[note.pk]))
        self.assertFalse(Note.objects.exists())

    def test_a_note_needs_a_title(self):
        response = self.client.post(reverse("board:create"), {"title": "", "body": "lost"})
        self.assertEqual(response.status_code, 200)
        self.assertFalse(Note.objects.exists())

    def test_forms_are_protected(self):
        client = Client(enforce_csrf_checks=True)
        self.assertEqual(client.post(reverse("board:create"), {"title": "Evil"}).status_code, 403)

    def test_healthz_asks_the_database(self):
        self.assertEqual(self.client.get("/healthz").json()["status"], "ok")

    def test_the_style_sheet_is_served(self):
        self.assertIsNotNone(finders.find("board/notes.css"))

    def test_migrations_are_complete(self):
        call_command("makemigrations", "--check", "--dry-run", verbosity=0)
