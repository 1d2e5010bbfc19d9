"""What a status takes from what a program said."""

from ops import pebble

from nuages.charm import texts
from nuages.charm.variables import mask

LOG = """\
[2026-11-22 13:06:37 +0000] [15] [ERROR] Exception in worker process
Traceback (most recent call last):
  File "/lib/python3.12/site-packages/gunicorn/arbiter.py", line 1
    worker.init_process()
KeyError: 'first'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/django/app/notes/settings.py", line 3, in <module>
django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.
[2026-11-22 13:06:37 +0000] [15] [INFO] Worker exiting (pid: 15)
"""


def test_last_traceback_counts() -> None:
    expected = "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty."
    assert texts.last_error(LOG.splitlines()) == expected
    assert texts.last_line(LOG) == expected
    assert texts.last_error(["no traceback"]) == ""
    assert texts.last_line("one\ntwo\n\n") == "two"
    assert texts.last_line("") == ""


def test_a_management_command_says_first_what_is_wrong() -> None:
    said = "CommandError: Conflicting migrations detected; multiple leaf nodes in the migration graph."
    mend = "To fix them run 'python manage.py makemigrations --merge'"
    assert texts.last_line(f"Operations to perform:\n{said}\n{mend}\n") == said
    assert texts.last_line(f"{LOG}{said}\n{mend}\n") == said
    assert texts.last_line(f"{said}\n{mend}\n{LOG}").startswith("django.core.exceptions")


def test_pebble_says_what_failed() -> None:
    long = 'cannot perform the following tasks:\n- Start service "x" (exit 1)\n----- Logs from task 0 -----\nsecret'
    assert texts.pebble_reason(pebble.Error(long)) == 'Start service "x" (exit 1)'
    assert texts.pebble_reason(pebble.Error("")) == "Error"


def test_secrets_are_masked_the_longest_first() -> None:
    assert mask("user:pass-word@host pass", ("pass", "pass-word")) == "user:***@host ***"
    assert mask("a b", ("a",)) == "a b"
