"""An index for searching words, where the server has such."""

from django.db import migrations

STATEMENTS = {
    "mysql": (
        "ALTER TABLE suite_book ADD FULLTEXT INDEX book_words (title, text)",
        "DROP INDEX book_words ON suite_book",
    ),
    "postgresql": (
        "CREATE INDEX book_words ON suite_book USING gin (to_tsvector('english', title || ' ' || text))",
        "DROP INDEX book_words",
    ),
}


def forwards(_apps, editor):
    editor.execute(STATEMENTS[editor.connection.vendor][0])


def backwards(_apps, editor):
    editor.execute(STATEMENTS[editor.connection.vendor][1])


class Migration(migrations.Migration):
    atomic = False  # MariaDB cannot take back what changes tables, and Django refuses it within a transaction
    dependencies = (("suite", "0001_initial"),)
    operations = (migrations.RunPython(forwards, backwards),)
