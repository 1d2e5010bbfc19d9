"""The entities of a model: frozen dataclasses. A mutation is a function from one `Model` to the next.

Everything here is plain data that `store` keeps; what only lives with a process (pods, clients, tasks) is elsewhere.
"""

from nuages.engine.state.applications import Application, Hook, Local, Pending, RelationState, Unit
from nuages.engine.state.changes import Change, Goal, Operation, Task
from nuages.engine.state.common import Bag, Life, Status, drop, put, unit_application, unit_key, unit_ordinal
from nuages.engine.state.model import DOWN, PAUSED, Model
from nuages.engine.state.relations import Databag, Relation, Side
from nuages.engine.state.secrets import MODEL_SCOPE, Consumer, Secret, SecretRevision

__all__ = [
    "DOWN",
    "MODEL_SCOPE",
    "PAUSED",
    "Application",
    "Bag",
    "Change",
    "Consumer",
    "Databag",
    "Goal",
    "Hook",
    "Life",
    "Local",
    "Model",
    "Operation",
    "Pending",
    "Relation",
    "RelationState",
    "Secret",
    "SecretRevision",
    "Side",
    "Status",
    "Task",
    "Unit",
    "drop",
    "put",
    "unit_application",
    "unit_key",
    "unit_ordinal",
]
