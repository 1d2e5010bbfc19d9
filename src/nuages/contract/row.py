"""Named tuples that cost next to nothing to define.

A hook imports everything anew, and `typing.NamedTuple` compiles a constructor for each class: 0.13 ms, sixty times.
Here all classes share one. What `typing.NamedTuple` documents works as usual: `_fields`, `_field_defaults`, `_replace`,
`_asdict`, `_make`, unpacking, comparing, patterns, pickling.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING or sys.version_info >= (3, 14):
    # From 3.14 on a class has no annotations before somebody asks for them.
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414  it is for others
else:
    from collections.abc import Iterable
    from operator import itemgetter
    from typing import Any

    class _Rows(type):
        def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> "_Rows":
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace[field] for field in fields if field in namespace}
            for i, field in enumerate(fields):
                if field not in defaults and i and fields[i - 1] in defaults:
                    raise TypeError(f"{name}: {field} has no default and follows one that has")
                namespace[field] = property(itemgetter(i))
            if fields:
                namespace.update(_fields=fields, __match_args__=fields, _field_defaults=defaults)
            namespace.setdefault("__slots__", ())
            return super().__new__(cls, name, bases, namespace)

    class NamedTuple(tuple, metaclass=_Rows):
        """What `typing.NamedTuple` is."""

        _fields = ()
        _field_defaults = {}  # noqa: RUF012  nobody changes it

        def __new__(cls, *args: Any, **named: Any) -> Any:  # noqa: D102  the class says it
            fields = cls._fields
            if named or len(args) != len(fields):
                rest = {**cls._field_defaults, **named}
                left = fields[len(args) :]
                if len(args) > len(fields) or not (named.keys() <= set(left) <= rest.keys()):
                    raise TypeError(f"{cls.__name__} takes {', '.join(fields)}; given: {len(args)} and {[*named]}")
                args += tuple([rest[field] for field in left])
            return tuple.__new__(cls, args)

        @classmethod
        def _make(cls, values: Iterable[Any]) -> Any:
            return cls(*values)

        def _replace(self, **changes: Any) -> Any:
            return type(self)(**{**self._asdict(), **changes})

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        __replace__ = _replace

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            values = ", ".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({values})"
