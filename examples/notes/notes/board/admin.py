from django.contrib import admin

from board.models import Note


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    list_display = ["title", "created", "changed"]
    search_fields = ["title", "body"]
