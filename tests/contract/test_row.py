"""Our named tuples behave as those of `typing` do."""

import copy
import pickle
import typing

import pytest

from nuages.contract import row


class Usual(typing.NamedTuple):
    """What they are compared with."""

    name: str
    size: int = 0
    parts: tuple[str, ...] = ()

    @property
    def doubled(self) -> int:
        return self.size * 2


class Ours(row.NamedTuple):
    """The same."""

    name: str
    size: int = 0
    parts: tuple[str, ...] = ()

    @property
    def doubled(self) -> int:
        return self.size * 2


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (("a",), {}),
        (("a", 1), {}),
        (("a", 1, ("b",)), {}),
        (("a",), {"parts": ("c",)}),
        ((), {"size": 2, "name": "a"}),
        ((), {"parts": (), "size": 2, "name": "a"}),
    ],
)
def test_same_as_typing(args: tuple[typing.Any, ...], named: dict[str, typing.Any]) -> None:
    usual, ours = Usual(*args, **named), Ours(*args, **named)
    assert tuple(usual) == ours
    assert (usual.name, usual.size, usual.parts, usual.doubled) == (ours.name, ours.size, ours.parts, ours.doubled)
    assert repr(usual) == repr(ours).replace("Ours", "Usual")
    assert usual._asdict() == ours._asdict()
    assert usual._replace(size=9) == tuple(ours._replace(size=9))
    assert type(ours._replace(size=9)) is Ours
    assert hash(usual) == hash(ours)
    assert pickle.loads(pickle.dumps(ours)) == copy.deepcopy(ours) == copy.copy(ours) == ours
    assert type(pickle.loads(pickle.dumps(ours))) is Ours


@pytest.mark.parametrize(
    ("args", "named"),
    [
        ((), {}),
        (("a", 1, (), 4), {}),
        (("a",), {"name": "b"}),
        (("a",), {"colour": "b"}),
        ((), {"size": 1}),
        ((), {"size": 1, "colour": "b"}),
    ],
)
def test_wrong_arguments_are_refused(args: tuple[typing.Any, ...], named: dict[str, typing.Any]) -> None:
    for kind in (Usual, Ours):
        with pytest.raises(TypeError):
            kind(*args, **named)


def test_class_says_what_it_has() -> None:
    assert Ours._fields == Usual._fields == Ours.__match_args__
    assert Ours._field_defaults == Usual._field_defaults
    assert Ours._make(["a", 1, ()]) == Ours("a", 1)


def test_patterns() -> None:
    match Ours("a", 1):
        case Ours(name, size=1):
            assert name == "a"
        case _:
            pytest.fail("does not match")


def test_nothing_changes() -> None:
    ours = Ours("a")
    for name in ("name", "colour"):
        with pytest.raises(AttributeError):
            setattr(ours, name, "b")


@pytest.mark.parametrize("base", [typing.NamedTuple, row.NamedTuple])
def test_default_before_a_field_without_one_is_refused(base: object) -> None:
    with pytest.raises(TypeError):
        exec("class Wrong(base):\n    a: int = 1\n    b: int\n", {"base": base})  # no checker lets it pass otherwise
