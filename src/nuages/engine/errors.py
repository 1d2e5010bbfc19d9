"""The engine's branch of the exception tree."""

from nuages.errors import NuagesError


class EngineError(NuagesError):
    """The engine refuses or cannot do what was asked."""

    code = "engine"


class CharmError(EngineError):
    """A charm that cannot be read."""

    code = "charm"


class NotFound(EngineError):
    """A model, application, unit, relation or change that does not exist."""

    code = "not-found"
