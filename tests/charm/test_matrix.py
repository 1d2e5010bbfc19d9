"""Every interface, however much its other side has said, at every event, on every kind of unit: never an error.

Each run may only end in a status of the table, and in the one that the case calls for. The whole matrix is slow; the
pairwise array over all interfaces and a spread of the rest are not.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from ops import testing

from nuages.contract import endpoints
from tests.charm import matrix, providers
from tests.charm.conftest import World
from tests.charm.matrix import SPOKEN, Case, Context

SPREAD = 23
"""One of so many single cases is among the fast tests; a prime, so that it takes each event and unit by turns."""

WHOLE = 3000
"""Runs, in all, that the matrix may take."""


Expected = Callable[[Case, str], bool]


def examine(charm: Context, cases: Iterable[Case], expected: Expected, files: Path | None = None) -> None:
    """Run the cases; fail with every one that raises, or ends in a status that it should not.

    With `files`, a folder for what charms write, each case also meets a unit whose charm has settled before.
    """
    wrong: list[str] = []
    for number, case in enumerate(cases):
        wrong += problems(charm, case, matrix.state(case), expected)
        if files and case.reachable:
            (files / str(number)).mkdir()
            before = matrix.settled(charm, case, files / str(number))
            wrong += [f"settled, {problem}" for problem in problems(charm, case, before, expected)]
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong)


def problems(charm: Context, case: Case, before: testing.State, expected: Expected) -> Iterator[str]:
    """Yield what is wrong with one run."""
    try:
        after = matrix.run(charm, case, before)
    except testing.errors.UncaughtCharmError as error:
        yield f"{case}: {error.__cause__!r}"
        return
    status = after.unit_status
    if case.event in ("stop", "remove"):
        if status != before.unit_status:
            yield f"{case}: {status}"
        return
    row = matrix.condition(status)
    if row is None:
        yield f"{case}: {status} is not in the table"
    elif not expected(case, row.level):
        yield f"{case}: {status}"
    elif case.event == "relation_broken" and row.level == "active" and (stale := left(case.of, after)):
        yield f"{case}: {stale} are still there"
    if case.leader and after.app_status != status:
        yield f"{case}: the application says {after.app_status}"
    if found := leaks(before, status.message):
        yield f"{case}: {status} shows {found}"


def left(interface: str, state: testing.State) -> list[str]:
    """Return the variables of an interface that the web service has."""
    prefix = endpoints.BY_NAME[interface].prefix
    plan = state.get_container("django-app").plan
    return [name for name in plan.services["django"].environment if prefix and name.startswith(prefix + "_")]


def leaks(state: testing.State, text: str) -> list[str]:
    """Return the secrets' keys whose values are in the text."""
    contents = [secret.tracked_content for secret in state.secrets]
    return [key for content in contents for key, value in content.items() if len(value) > 5 and value in text]


def expected_alone(case: Case, level: str) -> bool:
    """Whether a unit may say so, when one integration is required and all else is well."""
    ((interface, said),) = case.levels
    contributed = endpoints.BY_NAME[interface].contributed
    if not case.reachable:
        return level in ("waiting", "blocked")
    if contributed or (said == "full" and case.event != "relation_broken"):
        return level == "active" or (interface == "oauth" and level == "blocked")  # it wants an ingress besides
    if said in ("absent", "full"):
        return level == "blocked"
    return level in ("waiting", "blocked") or (said == "partial" and level == "active")


def expected_together(case: Case, level: str) -> bool:
    """Whether a unit may say so, when every integration is optional."""
    return case.reachable or level != "active"


def test_two_values_of_two_factors_meet() -> None:
    factors = {"a": "123", "b": "xy", "c": "1234", "d": "xyz"}
    rows = matrix.pairwise(factors)
    for first, second in itertools.combinations(factors, 2):
        assert {(row[first], row[second]) for row in rows} == set(itertools.product(factors[first], factors[second]))
    assert len(rows) < 18


def test_a_text_of_our_own_is_no_status_of_the_table() -> None:
    assert matrix.condition(testing.BlockedStatus("something is wrong")) is None
    assert matrix.condition(testing.WaitingStatus("waiting for the peer relation")) is not None
    assert matrix.condition(testing.BlockedStatus("waiting for the peer relation")) is None


def test_every_interface_has_an_answer() -> None:
    assert set(providers.FULL) == {interface.name for interface in endpoints.INTERFACES}


def test_the_matrix_keeps_its_bound() -> None:
    """How long it may take depends on the machine, how many runs it has does not."""
    names = [interface.name for interface in endpoints.INTERFACES]
    runs = sum(1 for name in names for _ in matrix.alone(name)) + sum(3 for _ in matrix.together(names))
    assert runs <= WHOLE


def test_some_of_each_interface_alone(tmp_path: Path, world: World) -> None:
    everything = [case for name in SPOKEN for case in matrix.alone(name)]
    chosen = everything[::SPREAD]
    for name in SPOKEN:
        cases = [case for case in chosen if case.levels[0][0] == name]
        assert cases, name
        examine(matrix.context(tmp_path / name, (name,), optional=False), cases, expected_alone)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("interface", SPOKEN)
def test_each_interface_alone(interface: str, tmp_path: Path, world: World) -> None:
    examine(matrix.context(tmp_path, (interface,), optional=False), matrix.alone(interface), expected_alone)


def test_interfaces_together(tmp_path: Path, world: World) -> None:
    charm = matrix.context(tmp_path / "charm", SPOKEN, optional=True)
    (tmp_path / "files").mkdir()
    examine(charm, matrix.together(SPOKEN), expected_together, tmp_path / "files")
