"""Who migrates, and when: a ticket that the leader grants, one at a time, once per (release, database).

The board is JSON in the peer relation's application bag: the ticket, if one is out, and what is done. A unit's wish is
JSON in its own bag: the release it runs, the database it has, and how its own attempt ended. Both carry the version
of this protocol, and what another version wrote counts as nothing: at worst, migrations run that have nothing to do.
"""

import json
import zlib
from collections.abc import Mapping
from typing import cast

from nuages.charm.adoption import is_led_by_paas_charm
from nuages.charm.facts import Facts, Outcome, Peer, Service
from nuages.contract import layout
from nuages.contract.row import NamedTuple

KEY = "migration"
PROTOCOL = 1
KEPT = 16
"""How many done ones the board remembers. One forgotten is migrated again, which then has nothing to do."""

SERVICE = "django-migrate"
NOTICE = "nuages.charm/migration"
PROGRAM = layout.STATE_DIRECTORY + "/migrate.py"
OUTCOME = layout.STATE_DIRECTORY + "/run/migration.json"
DATABASE = "the database"
PROGRESS = layout.STATE_DIRECTORY + "/run/migrating.json"


class Wish(NamedTuple):
    """What has to be migrated for a unit to start."""

    release: str
    database: str


class Unit(NamedTuple):
    """What a unit says in its bag."""

    wish: Wish
    result: str = ""
    """`done`, `failed`, or "" for not tried."""


class Board(NamedTuple):
    """What the leader says."""

    holder: str = ""
    """The unit that has the ticket; "" when none is out."""
    ticket: Wish = Wish("", "")
    done: tuple[Wish, ...] = ()
    """The oldest first."""


class Decision(NamedTuple):
    """What a unit does: `go`, `run`, `failed` (and waits to be tried again) or `wait`."""

    action: str
    board: str | None = None
    """The board to write, when the leader changes it."""
    unit: str | None = None
    """What to write into the unit's own bag."""
    holder: str = ""
    """Who migrates; "" while a unit waits for the leader's word."""


def parse_board(text: str) -> Board:
    """Read the board; nothing when it is empty, garbled, or of another protocol."""
    data = _load(text)
    done_data = data.get("done")
    items: list[object] = cast("list[object]", done_data) if isinstance(done_data, list) else []
    done = tuple(wish for item in items if (wish := _wish(item)) is not None)
    ticket = _wish(data.get("ticket"))
    holder = data.get("holder")
    if ticket is None or not isinstance(holder, str) or not holder:
        return Board(done=done)
    return Board(holder, ticket, done)


def parse_unit(text: str) -> Unit | None:
    """Read a unit's wish; None when there is none that can be understood."""
    data = _load(text)
    wish, result = _wish(data.get("wish")), data.get("result")
    return None if wish is None else Unit(wish, result if result in ("done", "failed") else "")


def write_board(board: Board) -> str:
    """Write the board; the reverse of `parse_board`."""
    data: dict[str, object] = {"version": PROTOCOL, "done": board.done}
    if board.holder:
        data |= {"holder": board.holder, "ticket": board.ticket}
    return json.dumps(data, sort_keys=True)


def write_unit(unit: Unit) -> str:
    """Write a unit's wish; the reverse of `parse_unit`."""
    return json.dumps({"version": PROTOCOL, "wish": unit.wish, "result": unit.result}, sort_keys=True)


def _load(text: str) -> dict[str, object]:
    try:
        data: object = json.loads(text) if text else None
    except ValueError:
        return {}
    if not isinstance(data, dict):
        return {}
    mapping = cast("dict[str, object]", data)
    return mapping if mapping.get("version") == PROTOCOL else {}


def _wish(data: object) -> Wish | None:
    if not isinstance(data, list):
        return None
    parts = cast("list[object]", data)
    if len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        return None
    return Wish(str(parts[0]), str(parts[1]))


def grant(board: Board, units: Mapping[str, Unit], first: str) -> Board:
    """Return the board as the leader leaves it: results recorded, a stale ticket taken back, the next one granted.

    `units` are all units with a wish. A ticket is stale when its holder is gone, wants something else by now (another
    release came), or what it is for is done. The unit `first` comes first, then the lowest number.
    """
    done = list(board.done)
    for unit in units.values():
        if unit.result == "done" and unit.wish not in done:
            done.append(unit.wish)
    holder = units.get(board.holder)
    if holder is not None and holder.wish == board.ticket and board.ticket not in done:
        return Board(board.holder, board.ticket, tuple(done[-KEPT:]))
    waiting = sorted(
        (name for name, unit in units.items() if unit.wish not in done),
        key=lambda name: (name != first, int(name.rpartition("/")[2])),
    )
    kept = tuple(done[-KEPT:])
    return Board(waiting[0], units[waiting[0]].wish, kept) if waiting else Board(done=kept)


def decide(facts: Facts, peer: Peer, wish: Wish, outcome: Outcome | None, attempt: str) -> Decision:
    """Return what this unit does now.

    `attempt` identifies command and environment: a failed migration is tried again when they change, and at every
    update-status.
    """
    mine = ""
    if outcome is not None and Wish(outcome.release, outcome.database) == wish:
        mine = "done" if outcome.code == 0 else "failed"
    me = Unit(wish, mine)
    before = parse_board(peer.bag.get(KEY, ""))
    board, text = before, None
    if facts.leader:
        units = {name: unit for name, bag in peer.units.items() if (unit := parse_unit(bag.get(KEY, "")))}
        board = grant(before, {**units, facts.unit: me}, facts.unit)
        text = write_board(board) if board != before else None
    # A unit with nothing to migrate says nothing, which saves reading its own bag at every event, unless it was given
    # a ticket for what it wanted earlier: then it has to say so, or the others would wait for it for ever.
    said = None if wish in before.done and before.holder != facts.unit else write_unit(me)
    if wish in board.done or mine == "done":
        return Decision("go", text, said)
    # paas-charm has every unit migrate by itself when its pod is new, and grants nothing.
    alone = KEY not in peer.bag and is_led_by_paas_charm(facts, peer)
    if alone and any(parse_unit(bag.get(KEY, "")) == Unit(wish, "done") for bag in peer.units.values()):
        return Decision("go", text, said)
    if not alone and (board.holder != facts.unit or board.ticket != wish):
        # The leader may be in error, so that the board is as old as its last hook.
        holder = parse_unit(peer.units.get(board.holder, {}).get(KEY, ""))
        if holder == Unit(wish, "done"):
            return Decision("go", text, said)
        at_it = holder is not None and holder.wish == board.ticket and holder.result != "done"
        return Decision("wait", text, said, board.holder if at_it else "")
    tired = mine == "failed" and outcome is not None and outcome.attempt == attempt and facts.event != "update_status"
    return Decision("failed" if tired else "run", text, said, facts.unit)


def progress(text: str | None, now: float) -> str:
    """Return what goes on after `migrating`, from what the running program has written down.

    How long it runs, from the first minute on, and what it applies: `the database for 2 min: notes.0002_note_changed`.
    """
    try:
        data: object = json.loads(text) if text else None
    except ValueError:
        data = None
    known = cast("dict[str, object]", data) if isinstance(data, dict) else {}
    started, applying = known.get("started"), known.get("applying")
    minutes = int((now - started) / 60) if isinstance(started, int | float) and abs(now - started) < _YEAR else 0
    lasting = f"{DATABASE} for {minutes} min" if minutes > 0 else DATABASE
    return f"{lasting}: {applying}" if isinstance(applying, str) and applying else lasting


_YEAR = 365 * 24 * 3600


def command(files: tuple[str, ...], places: layout.Layout = layout.CLASSIC) -> tuple[str, ...]:
    """Return the command of the first migration program found; none when the project has none."""
    for name in layout.MIGRATIONS:
        if name in files:
            words = places.migration_command(name)
            return (layout.PYTHON, *words[1:]) if words[0] == "python3" else words
    return ()


def attempt_of(words: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """Return a checksum of a command and its environment: too short to say anything about what is in them."""
    return f"{zlib.crc32(json.dumps([words, sorted(environment.items())]).encode()):08x}"


def service(  # noqa: PLR0917  what the service is made of
    words: tuple[str, ...], wish: Wish, attempt: str, web: Service, environment: Mapping[str, str], directory: str
) -> Service:
    """Return the one-shot service: a small program that runs `words`, writes down the outcome and sends a notice."""
    python = layout.PYTHON
    own = {key: web[key] for key in ("user", "user-id", "group", "group-id") if key in web}
    return {
        "override": "replace",
        "summary": "Apply the database migrations",
        "command": " ".join(_quote(word) for word in (python, PROGRAM, OUTCOME, NOTICE, *wish, attempt, "--", *words)),
        "startup": "disabled",
        "on-success": "ignore",
        "on-failure": "ignore",
        "working-dir": directory,
        "kill-delay": "60s",
        "environment": dict(environment),
        **own,
    }


def _quote(word: str) -> str:
    plain = word and all(character.isalnum() or character in "/._-=:@%+," for character in word)
    return word if plain else "'" + word.replace("'", "'\"'\"'") + "'"
