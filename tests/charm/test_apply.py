"""Steps carried out on a container that is told how to behave: what goes wrong, what is said, what is left behind."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import ops
import pytest
from ops import pebble

from nuages.charm import apply, gunicorn, probe, statuses
from nuages.charm.plan import Ask, Consult, File, Layer, Look, Plan, Question, Reload, Start, Stop
from nuages.charm.statuses import Status
from nuages.charm.workload import Container, Result
from nuages.contract import layout

QUESTION = Question("notes.example", 8000, "/well", "https")
OLD = gunicorn.config({"A": "old"}, {}, {}, statsd=False)
NEW = gunicorn.config({"A": "new"}, {}, {}, statsd=False)


class Fake:
    """A container whose services run, whose files are a dictionary."""

    name = "django-app"

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.running: dict[str, str] = {"django": "active", "mail-worker": "active"}
        self.layers: list[Mapping[str, object]] = []
        self.said: list[str] = []
        self.errors: dict[str, pebble.Error] = {}
        self.signals: list[str] = []
        self.loads: Callable[[str], bool] = lambda _text: True

    def _maybe(self, name: str) -> None:
        if name in self.errors:
            raise self.errors[name]

    def states(self) -> dict[str, str]:
        return self.running

    def write(self, file: File) -> None:
        self._maybe("write")
        self.files[file.path] = file.text

    def remove(self, path: str) -> None:
        self.files.pop(path, None)

    def exists(self, path: str) -> bool:
        return path in self.files

    def add_layer(self, _label: str, services: Mapping[str, object], *_: object) -> None:
        self.layers.append(services)

    def start(self, _services: Sequence[str], *, settle: bool = False) -> None:
        if settle:
            self._maybe("start")

    def stop(self, _services: Sequence[str]) -> None:
        self._maybe("stop")

    def hang_up(self, service: str) -> None:
        self.signals.append(service)
        text = self.files[layout.CLASSIC.gunicorn_config]
        if self.loads(text):
            self.files[gunicorn.marker_of(text)] = ""

    def logs(self, _service: str, _since: str = "") -> list[str]:
        return self.said

    def run(self, *_: object, **__: object) -> Result:
        return Result(1, "", "Traceback (most recent call last):\n  File x\nKeyError: 'A'\n")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[int | str]:
    """What the web service says, one after the other; the last one again and again."""
    found: list[int | str] = [200]

    def ask(_question: Question, _deadline: float, _gone: object) -> int:
        answer = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(answer, str):
            raise probe.NoAnswer(answer)
        return answer

    monkeypatch.setattr(probe, "ask", ask)
    return found


def carry_out(container: Fake, *steps: Any) -> Status | None:
    plan = Plan(status=statuses.ACTIVE(), steps=steps, secrets=("hush-hush",))
    charm = cast("ops.CharmBase", None)  # no bag, secret or port is in these plans
    return apply.apply(plan, charm, cast("Container", container), lambda _status: None).status


def reload(strict: bool = False) -> Reload:
    return Reload(
        File(layout.CLASSIC.gunicorn_config, NEW.text),
        Layer("charm", {"django": {"environment": {"A": "new"}}}),
        File(layout.CLASSIC.gunicorn_config, OLD.text),
        Layer("charm", {"django": {"environment": {"A": "old"}}}),
        "django",
        NEW.marker,
        QUESTION,
        strict,
    )


def running() -> Fake:
    container = Fake()
    container.files = {layout.CLASSIC.gunicorn_config: OLD.text, gunicorn.APPLIED: OLD.text, OLD.marker: ""}
    return container


def test_reload_leaves_the_new_configuration_and_says_that_it_counts(answers: list[int | str]) -> None:
    container = running()
    assert carry_out(container, reload()) == statuses.ACTIVE()
    assert container.files == {layout.CLASSIC.gunicorn_config: NEW.text, gunicorn.APPLIED: NEW.text, NEW.marker: ""}
    assert container.signals == ["django"]


def test_reload_that_gets_no_answer_puts_everything_back(answers: list[int | str]) -> None:
    answers[:] = ["it hangs with hush-hush", 200]
    container = running()
    status = carry_out(container, reload())
    assert status == ("blocked", "the app refuses the new configuration and serves the old one: it hangs with ***")
    assert container.files[layout.CLASSIC.gunicorn_config] == container.files[gunicorn.APPLIED] == OLD.text
    assert container.layers[-1] == {"django": {"environment": {"A": "old"}}}
    assert container.signals == ["django", "django"]


def test_reload_that_makes_a_healthy_application_unhealthy_is_taken_back(answers: list[int | str]) -> None:
    answers[:] = [200, 503, 200]
    container = running()
    status = carry_out(container, reload(strict=True))
    assert status is not None
    assert status.level == "blocked"
    assert status.message.endswith(": /well: status 503")
    assert container.files[gunicorn.APPLIED] == OLD.text
    answers[:] = [503]
    assert carry_out(container, reload(strict=False)) == statuses.ACTIVE()
    assert container.files[gunicorn.APPLIED] == NEW.text


def test_configuration_that_does_not_load_never_counts() -> None:
    from nuages.charm.plan import Load

    container = running()
    candidate = File(layout.CLASSIC.candidate, NEW.text)
    load = Load(candidate, layout.PYTHON, "notes.wsgi:application", "_daemon_", "/django/app")
    status = carry_out(container, load, reload())
    assert status == ("blocked", "the app refuses the new configuration and serves the old one: KeyError: 'A'")
    assert layout.CLASSIC.candidate not in container.files
    assert container.signals == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (200, ""),
        (302, ""),
        (404, "this unit gets no requests: /well: status 404"),
        ("no answer in time", "this unit gets no requests: /well: no answer in time"),
    ],
)
def test_health_path_decides_about_requests(answers: list[int | str], answer: int | str, message: str) -> None:
    answers[:] = [answer]
    assert carry_out(Fake(), Consult("django", QUESTION)) == Status("waiting" if message else "active", message)


def test_worker_that_ends_at_once_is_named_with_its_own_words() -> None:
    container = Fake()
    container.errors["start"] = pebble.ChangeError("cannot start", cast("pebble.Change", None))
    container.running["mail-worker"] = "backoff"
    container.said = ["Traceback (most recent call last):", "  File x", "ImportError: No module named 'redis'"]
    expected = ("blocked", "service mail-worker does not start: ImportError: No module named 'redis'")
    assert carry_out(container, Start(("mail-worker",), settle=True)) == expected
    assert carry_out(container, Look(("mail-worker",))) == expected
    container.running["mail-worker"] = "active"
    assert carry_out(container, Look(("mail-worker",))) == statuses.ACTIVE()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (pebble.TimeoutError("timed out"), statuses.SLOW_STOP()),
        (pebble.ConnectionError("gone"), statuses.WAITING_PEBBLE(container="django-app")),
        (pebble.APIError({}, 500, "Internal", "disk full, hush-hush"), ("blocked", "Pebble refused: disk full, ***")),
    ],
)
def test_what_pebble_refuses_is_said_and_tried_again(error: pebble.Error, status: Status) -> None:
    container = Fake()
    container.errors["stop"] = error
    assert carry_out(container, Stop(("django",))) == status


def test_crash_is_the_applications_own_last_line(answers: list[int | str]) -> None:
    answers[:] = ["Connection refused"]
    container = Fake()
    container.running["django"] = "backoff"
    container.said = [
        "Traceback (most recent call last):",
        "  File x",
        "ValueError: hush-hush",
        "[ERROR] Worker failed",
    ]
    status = carry_out(container, Ask("django", QUESTION, fresh=True))
    assert status == ("blocked", "the app does not start: ValueError: ***")
