"""Secrets, and who may read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nuages.engine.charm import empty
from nuages.engine.state.common import Bag

MODEL_SCOPE = -1
"""The scope of a user's grant, where a charm's has a relation's number."""


@dataclass(frozen=True)
class SecretRevision:
    """One revision of a secret's content."""

    content: Bag
    checksum: str
    created: float = 0.0
    expire: float | None = None


@dataclass(frozen=True)
class Consumer:
    """An entity that has read a secret: the revision it is pinned to, and its own label."""

    revision: int = 0
    label: str = ""


@dataclass(frozen=True)
class Secret:
    """A secret; `owner` is a unit, an application or "" for the model.

    `grants`: entity to relation id, or `MODEL_SCOPE` when a user granted it. `newest` and `checksum` are those of the
    newest revision ever made, which stays the latest when it is removed: no number is used twice.
    """

    id: str
    owner: str
    label: str = ""
    description: str = ""
    rotate: str = "never"
    rotate_at: float | None = None
    revisions: Mapping[int, SecretRevision] = field(default_factory=empty)
    grants: Mapping[str, int] = field(default_factory=empty)
    consumers: Mapping[str, Consumer] = field(default_factory=empty)
    created: float = 0.0
    updated: float = 0.0
    newest: int = 0
    checksum: str = ""
    auto_prune: bool = False

    @property
    def latest(self) -> int:
        """The number of the newest revision ever made."""
        return max(self.newest, max(self.revisions, default=0))
