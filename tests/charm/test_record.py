"""Records behave as frozen dataclasses do."""

import dataclasses

import pytest

from nuages.charm.record import record


@record
class Point:
    """A point."""

    x: int
    y: int = 0
    names: tuple[str, ...] = dataclasses.field(default=())


@record
class Other:
    """The same fields in another class."""

    x: int
    y: int = 0
    names: tuple[str, ...] = ()


def test_equal_fields_of_one_class_are_equal() -> None:
    assert Point(1) == Point(1, 0)
    assert Point(1) != Point(2)
    assert Point(1) != Other(1)
    assert Point(1) != (1, 0, ())


def test_no_field_changes() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="cannot assign to field 'x'"):
        setattr(point, "x", 2)  # noqa: B010  a plain assignment does not pass the type check
    assert point.x == 1


def test_text_names_every_field() -> None:
    assert repr(Point(1, names=("a",))) == "Point(x=1, y=0, names=('a',))"


def test_replace_makes_another() -> None:
    assert dataclasses.replace(Point(1, 2), x=3) == Point(3, 2)  # pyright: ignore[reportArgumentType]  not seen as one


def test_a_record_has_no_hash_as_its_fields_may_have_none() -> None:
    with pytest.raises(TypeError):
        hash(Point(1))
