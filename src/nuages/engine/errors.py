"""The engine's branch of the exception tree."""

from nuages.errors import NuagesError


class EngineError(NuagesError):
    """The engine refuses or cannot do what was asked."""

    code = "engine"


class NotFound(EngineError):
    """A model, application, unit, relation or change that does not exist."""

    code = "not-found"
