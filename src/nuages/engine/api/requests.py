"""What the API takes: one model per request body; a wrong body is answered with every reason at once."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Request(BaseModel):
    """Base of all request bodies: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CreateModel(Request):
    """PUT /v1/models/M."""

    project: str | None = None


class Deploy(Request):
    """POST …/deploy: the path of a .charm file, or the name of a built-in application."""

    charm: str
    application: str = ""
    resources: dict[str, str] = Field(default_factory=dict[str, str])
    config: dict[str, str | bool | int | float] = Field(default_factory=dict[str, str | bool | int | float])
    num_units: int = Field(default=1, ge=0)
    trust: bool = False


class Refresh(Request):
    """POST …/refresh."""

    application: str
    charm: str | None = None
    resources: dict[str, str] = Field(default_factory=dict[str, str])


class Endpoints(Request):
    """POST …/integrate and …/remove-relation: two of `application` or `application:endpoint`."""

    endpoints: list[str] = Field(min_length=2, max_length=2)


class Configure(Request):
    """POST …/config/APP and …/model-config."""

    set: dict[str, str] = Field(default_factory=dict[str, str])
    reset: list[str] = Field(default_factory=list[str])


class Trust(Request):
    """POST …/trust."""

    application: str
    trust: bool = True


class Scale(Request):
    """POST …/scale: a number of units, or a difference."""

    application: str
    units: int | None = Field(default=None, ge=0)
    delta: int | None = None
    force: bool = False


class RemoveApplication(Request):
    """POST …/remove-application; a dry run removes nothing."""

    application: str
    force: bool = False
    dry_run: bool = False


class Resolved(Request):
    """POST …/resolved: units whose hook failed, or all of them."""

    units: list[str] = Field(default_factory=list[str])
    all: bool = False
    retry: bool = True


class AddSecret(Request):
    """POST …/add-secret."""

    name: str
    content: dict[str, str]
    info: str = ""


class UpdateSecret(Request):
    """POST …/update-secret: `secret` is a URI, an id or a name; "" and no content leave as it is."""

    secret: str
    content: dict[str, str] = Field(default_factory=dict[str, str])
    name: str = ""
    info: str = ""
    auto_prune: bool | None = None


class SecretAccess(Request):
    """POST …/grant-secret and …/revoke-secret."""

    secret: str
    applications: list[str] = Field(min_length=1)


class RemoveSecret(Request):
    """POST …/remove-secret: the secret, or one revision of it."""

    secret: str
    revision: int | None = Field(default=None, ge=1)


class Run(Request):
    """POST …/run: an action."""

    unit: str
    action: str
    params: dict[str, Any] = Field(default_factory=dict[str, Any])


class Exec(Request):
    """POST …/exec: a command in the charm container, with a hook context."""

    unit: str
    argv: list[str] = Field(min_length=1)


class Enter(Request):
    """POST …/enter: the host command that opens a shell in a pod."""

    unit: str
    container: str | None = None
    argv: list[str] = Field(min_length=1)
    tty: bool = False


class Connect(Request):
    """POST …/connect: the host command that opens a console into the server behind an application's endpoint."""

    application: str
    endpoint: str
    argv: list[str] = Field(default_factory=list[str])
    tty: bool = False
