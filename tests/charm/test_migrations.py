"""The ticket: one unit migrates at a time, once per (release, database), whatever happens to it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm import migrations, statuses
from nuages.charm.facts import Outcome, Peer
from nuages.charm.migrations import Board, Unit, Wish
from tests.charm.interfaces.examples import THOROUGH
from tests.charm.made import facts

R1, R2 = Wish("r1", "db"), Wish("r2", "db")


class Application:
    """Units with their bags, and what has happened to the database."""

    def __init__(self, count: int, release: str = "r1") -> None:
        self.board = ""
        self.bags: dict[str, str] = {}
        self.wishes = {f"notes/{number}": Wish(release, "db") for number in range(count)}
        self.outcomes: dict[str, Outcome] = {}
        self.running: dict[str, Wish] = {}
        self.serving: set[str] = set()
        self.ran: list[tuple[str, Wish]] = []
        self.leader = "notes/0"

    def hook(self, unit: str, event: str = "config_changed") -> migrations.Decision:
        """Run a hook of a unit and commit what it writes."""
        others: Mapping[str, Mapping[str, str]] = {
            name: {migrations.KEY: self.bags.get(name, "")} for name in self.wishes if name != unit
        }
        peer = Peer(1, {migrations.KEY: self.board}, others)
        seen = facts(unit=unit, leader=unit == self.leader, event=event)
        decision = migrations.decide(seen, peer, self.wishes[unit], self.outcomes.get(unit), "a")
        if decision.board is not None:
            assert unit == self.leader
            self.board = decision.board
        if decision.unit is not None:
            self.bags[unit] = decision.unit
        if decision.action == "run" and unit not in self.running:
            assert not self.running, "two units migrate at once"
            self.running[unit] = self.wishes[unit]
            self.ran.append((unit, self.wishes[unit]))
        if decision.action == "go":
            self.serving.add(unit)
        return decision

    def end(self, unit: str, code: int = 0) -> None:
        """The migration of a unit ends."""
        wish = self.running.pop(unit)
        self.outcomes[unit] = Outcome(*wish, "a", code, "" if code == 0 else "OperationalError: no")

    def replace(self, unit: str, release: str) -> None:
        """The unit's pod is replaced by one of another release."""
        self.wishes[unit] = Wish(release, "db")
        self.outcomes.pop(unit, None)
        self.running.pop(unit, None)
        self.serving.discard(unit)

    def remove(self, unit: str) -> None:
        """The unit goes away."""
        for mapping in (self.wishes, self.bags, self.outcomes, self.running):
            mapping.pop(unit, None)
        self.serving.discard(unit)

    def settle(self) -> None:
        """Run hooks until nothing changes, ending migrations well."""
        for _ in range(40):
            before = (self.board, dict(self.bags), set(self.serving), dict(self.outcomes))
            for unit in sorted(self.wishes):
                self.hook(unit)
            for unit in list(self.running):
                self.end(unit)
            if before == (self.board, self.bags, self.serving, self.outcomes):
                return
        raise AssertionError("the units never settle")


def test_single_unit_migrates_once_and_serves() -> None:
    app = Application(1)
    assert app.hook("notes/0").action == "run"
    app.end("notes/0")
    assert app.hook("notes/0").action == "go"
    assert app.hook("notes/0") == migrations.Decision("go")
    assert app.ran == [("notes/0", R1)]


def test_three_units_that_appear_one_by_one_migrate_once() -> None:
    app = Application(1)
    app.settle()
    for number in (1, 2):
        app.wishes[f"notes/{number}"] = R1
        app.settle()
    assert app.serving == {"notes/0", "notes/1", "notes/2"}
    assert app.ran == [("notes/0", R1)]


def test_others_wait_for_the_holder_by_name() -> None:
    app = Application(2)
    app.hook("notes/0")
    decision = app.hook("notes/1")
    assert (decision.action, decision.holder) == ("wait", "notes/0")


def test_without_word_from_the_leader_a_unit_waits_for_it() -> None:
    decision = Application(2).hook("notes/1")
    assert (decision.action, decision.holder) == ("wait", "")


def test_with_the_leader_in_error_units_wait_for_it_not_for_whoever_it_named_last() -> None:
    app = Application(3)
    app.settle()
    app.replace("notes/2", "r2")
    app.hook("notes/2")
    app.hook("notes/0")
    assert app.hook("notes/2").action == "run"
    app.replace("notes/2", "r3")  # once more upgraded, half-way; from here on the leader's hooks fail
    app.replace("notes/1", "r3")
    for _ in range(2):
        for unit in ("notes/2", "notes/1"):
            decision = app.hook(unit)
            assert (decision.action, decision.holder) == ("wait", "")
    app.settle()
    assert app.serving == {"notes/0", "notes/1", "notes/2"}


def test_with_the_leader_in_error_units_still_see_that_the_holder_migrates_and_that_it_is_done() -> None:
    app = Application(3)
    app.leader = "notes/2"
    app.hook("notes/0")
    app.hook("notes/2")  # the ticket is its own
    app.leader = "notes/1"
    app.replace("notes/2", "r2")
    app.hook("notes/2")
    app.hook("notes/1")
    assert migrations.parse_board(app.board).holder == "notes/1"
    app.hook("notes/1")
    app.hook("notes/1")
    decision = app.hook("notes/0")
    assert (decision.action, decision.holder) == ("wait", "notes/1")
    app.leader = "notes/9"  # another one, which does nothing
    app.end("notes/1")
    app.hook("notes/1")
    assert app.hook("notes/0").action == "go"
    decision = app.hook("notes/2")
    assert (decision.action, decision.holder) == ("wait", "")
    app.leader = "notes/0"
    app.settle()
    assert app.ran == [("notes/2", R1), ("notes/1", R1), ("notes/2", R2)]


def test_upgrade_begins_with_the_highest_unit_and_the_rest_follow() -> None:
    app = Application(3)
    app.settle()
    app.ran.clear()
    for unit in ("notes/2", "notes/1", "notes/0"):
        app.replace(unit, "r2")
        app.settle()
    assert app.ran == [("notes/2", R2)]
    assert app.serving == set(app.wishes)


def test_ticket_of_a_holder_that_went_away_is_granted_anew() -> None:
    app = Application(3)
    app.leader = "notes/1"
    app.hook("notes/0")
    app.hook("notes/2")
    app.hook("notes/1")
    app.settle()
    assert app.serving == set(app.wishes)
    app = Application(2)
    app.hook("notes/1")
    app.board = migrations.write_board(Board("notes/7", R1))
    app.settle()
    assert app.serving == set(app.wishes)


def test_holder_whose_pod_is_replaced_begins_again() -> None:
    app = Application(1)
    app.hook("notes/0")
    app.replace("notes/0", "r1")
    assert app.hook("notes/0").action == "run"


def test_failed_migration_waits_for_update_status_and_a_fixed_release_goes_on() -> None:
    app = Application(2)
    app.hook("notes/0")
    app.end("notes/0", code=1)
    assert app.hook("notes/0").action == "failed"
    assert app.hook("notes/1").action == "wait"
    assert app.hook("notes/0", "update_status").action == "run"
    app.end("notes/0", code=1)
    app.hook("notes/0")
    app.replace("notes/1", "r2")
    app.replace("notes/0", "r2")
    app.settle()
    assert app.serving == set(app.wishes)


def test_failed_migration_is_tried_again_when_the_environment_changes() -> None:
    peer = Peer(1, {migrations.KEY: migrations.write_board(Board("notes/0", R1))}, {})
    failed = Outcome(*R1, "old-environment", 1, "no")
    assert migrations.decide(facts(), peer, R1, failed, "new-environment").action == "run"
    assert migrations.decide(facts(), peer, R1, failed, "old-environment").action == "failed"


def test_release_rolled_back_migrates_nothing() -> None:
    app = Application(1)
    app.settle()
    for release in ("r2", "r1"):
        app.replace("notes/0", release)
        app.settle()
    assert app.ran == [("notes/0", R1), ("notes/0", R2)]


def test_new_leader_goes_on_with_the_ticket_that_is_out() -> None:
    app = Application(3)
    app.hook("notes/0")
    app.leader = "notes/2"
    app.hook("notes/2")
    assert migrations.parse_board(app.board).holder == "notes/0"
    app.end("notes/0")
    app.settle()
    assert app.ran == [("notes/0", R1)]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_happens_one_migrates_at_a_time_and_all_serve_in_the_end(data: st.DataObject) -> None:
    app = Application(data.draw(st.integers(1, 4)))
    for _ in range(data.draw(st.integers(0, 25))):
        unit = data.draw(st.sampled_from(sorted(app.wishes)))
        match data.draw(st.sampled_from(["hook", "hook", "hook", "end", "fail", "replace", "lead"])):
            case "hook":
                app.hook(unit, data.draw(st.sampled_from(["config_changed", "update_status"])))
            case "end" | "fail" as how if unit in app.running:
                app.end(unit, int(how == "fail"))
            case "replace" if unit not in app.running:
                app.replace(unit, data.draw(st.sampled_from(["r1", "r2", "r3"])))
            case "lead":
                app.leader = unit
            case _:
                pass
    for unit in list(app.running):
        app.end(unit)
    for unit, outcome in list(app.outcomes.items()):
        if outcome.code:
            app.outcomes.pop(unit)
    app.settle()
    assert app.serving == set(app.wishes)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)
BOARDS = st.fixed_dictionaries(
    {"version": st.sampled_from([1, 2, "1"])}, optional={"holder": JSON, "ticket": JSON, "done": JSON, "wish": JSON}
)


@THOROUGH
def test_garbled_bags_count_as_nothing(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(st.text() | JSON.map(json.dumps) | BOARDS.map(json.dumps))
    def parse(text: str) -> None:
        board: Any = migrations.parse_board(text)
        assert isinstance(board, Board)
        unit = migrations.parse_unit(text)
        assert unit is None or isinstance(unit, Unit)

    parse()


WISHES = st.builds(Wish, st.text(max_size=8), st.text(max_size=8))


@THOROUGH
def test_bags_round_trip(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(st.lists(WISHES, max_size=5).map(tuple), WISHES, st.sampled_from(["", "done", "failed"]))
    def there_and_back(done: tuple[Wish, ...], wish: Wish, result: str) -> None:
        board = Board("notes/1", wish, done)
        assert migrations.parse_board(migrations.write_board(board)) == board
        unit = Unit(wish, result)
        assert migrations.parse_unit(migrations.write_unit(unit)) == unit

    there_and_back()


def test_first_program_found_decides() -> None:
    assert migrations.command(("manage.py",)) == ("/bin/python3", "manage.py", "migrate")
    assert migrations.command(("manage.py", "migrate.sh")) == ("bash", "-eo", "pipefail", "migrate.sh")
    assert migrations.command(("manage.py", "migrate.py")) == ("/bin/python3", "migrate.py")
    assert migrations.command(("migrate", "migrate.sh", "manage.py")) == ("/django/app/migrate",)
    assert migrations.command(()) == ()


@pytest.mark.parametrize(
    ("text", "now", "shown"),
    [
        (None, 1000, ""),
        ('{"started": 990, "applying": ""}', 1000, ""),
        ('{"started": 990, "applying": "notes.0001_initial"}', 1000, ": notes.0001_initial"),
        ('{"started": 880, "applying": ""}', 1000, " for 2 min"),
        ('{"started": 880, "applying": "notes.0002_x"}', 1000, " for 2 min: notes.0002_x"),
        ('{"started": 1e300}', 1000, ""),
        ('{"started": "x", "applying": 7}', 1000, ""),
        ("[]", 1000, ""),
        ("{", 1000, ""),
    ],
)
def test_progress(text: str | None, now: float, shown: str) -> None:
    assert statuses.MIGRATING(what=migrations.progress(text, now)).message == f"migrating the database{shown}"


@given(st.text() | JSON.map(json.dumps))
def test_garbled_progress_is_no_progress(text: str) -> None:
    assert isinstance(migrations.progress(text, 1000.0), str)
