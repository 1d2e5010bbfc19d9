"""Tools about secrets. Values come as `key=value` or `key#file=PATH`, never into a message."""

from __future__ import annotations

import base64
import binascii
import time
from datetime import datetime, timezone
from typing import Any

from nuages.engine import secret_documents
from nuages.engine import secrets as rules
from nuages.engine.config import duration
from nuages.engine.hooks import secrets
from nuages.engine.hooks.arguments import Arguments, Flag
from nuages.engine.hooks.context import HookContext
from nuages.engine.hooks.errors import ToolError, UsageError
from nuages.engine.hooks.tools.tool import FORMAT, RELATION, SILENT, Tool, relation_id
from nuages.engine.hooks.tools.unit import mapping
from nuages.engine.rotation import ROTATIONS
from nuages.engine.secrets import Attributes, SecretError


def secret_add(context: HookContext, arguments: Arguments) -> str:
    """Create a secret and print its URI."""
    content = _content(arguments, arguments.positional)
    if content is None:
        raise UsageError("missing secret value or filename")
    owner = arguments.text("owner", "application")
    if owner not in ("application", "unit"):
        raise UsageError(f'secret owner "{owner}" not valid')
    return secrets.add(context, owner, content, _attributes(arguments))


def secret_get(context: HookContext, arguments: Arguments) -> Any:
    """Print a secret's content, or one key of it."""
    uri, label = _which(arguments)
    refresh, peek = arguments.flag("refresh"), arguments.flag("peek")
    if refresh and peek:
        raise UsageError("specify one of --refresh or --peek but not both")
    content = secrets.get(context, uri, label, refresh=refresh, peek=peek)
    key, encoded = arguments.at(1).removesuffix("#base64"), arguments.at(1).endswith("#base64")
    if not key:
        return dict(content)
    if key not in content:
        raise ToolError(f'secret key "{key}" not found')
    return base64.b64encode(content[key].encode()).decode() if encoded else content[key]


def secret_info_get(context: HookContext, arguments: Arguments) -> Any:
    """Print what the owner may know of a secret besides its content."""
    uri, label = _which(arguments)
    try:
        secret = rules.find_own(context.draft, context.unit_name, uri, label)
    except SecretError as error:
        raise ToolError(str(error)) from error
    if secret.id not in secrets.owned(context):
        raise ToolError(f'secret "{secret.id}" not found')
    return {secret.id: secret_documents.information(context.draft, secret)}


def secret_set(context: HookContext, arguments: Arguments) -> Any:
    """Change a secret when the hook succeeds."""
    uri = _uri(arguments)
    secrets.change(context, uri, _content(arguments, arguments.positional[1:]), _attributes(arguments))
    return SILENT


def secret_grant(context: HookContext, arguments: Arguments) -> Any:
    """Let the other side of a relation read a secret."""
    uri = _uri(arguments)
    secrets.grant(context, uri, relation_id(context, arguments), arguments.text("unit") or None)
    return SILENT


def secret_revoke(context: HookContext, arguments: Arguments) -> Any:
    """Take the right to read a secret back."""
    uri = _uri(arguments)
    if arguments.text("unit"):
        targets = (arguments.text("unit"),)
    elif arguments.text("app"):
        targets = (arguments.text("app"),)
    else:
        targets = (context.remote_application(relation_id(context, arguments)),)
    secrets.revoke(context, uri, targets)
    return SILENT


def secret_remove(context: HookContext, arguments: Arguments) -> Any:
    """Remove a secret or a revision when the hook succeeds."""
    uri = _uri(arguments)
    text = arguments.text("revision")
    if text and not (text.isascii() and text.isdecimal()):
        raise UsageError(f'invalid value "{text}" for option --revision: not a number')
    secrets.remove(context, uri, int(text) if text else None)
    return SILENT


def secret_ids(context: HookContext, arguments: Arguments) -> list[str]:
    """Print the ids of the secrets that the unit manages."""
    return secrets.owned(context)


def _uri(arguments: Arguments) -> str:
    if not arguments.positional:
        raise UsageError("missing secret URI")
    if not rules.bare(arguments.at(0)):
        raise UsageError(f'secret URI "{arguments.at(0)}" not valid')
    return arguments.at(0)


def _which(arguments: Arguments) -> tuple[str, str]:
    label = arguments.text("label")
    if not arguments.positional and not label:
        raise UsageError("require either a secret URI or label")
    return _uri(arguments) if arguments.positional else "", label


def _content(arguments: Arguments, words: tuple[str, ...]) -> dict[str, str] | None:
    content: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError("a secret's value is key=value or key#file=PATH")
        if key.endswith("#file"):
            if word not in arguments.attached:
                raise ToolError(f"cannot read the file of {key}: no such file")
            content[key.removesuffix("#file")] = _text(arguments.attached[word], key)
        elif key.endswith("#base64"):
            try:
                content[key.removesuffix("#base64")] = _text(base64.b64decode(value, validate=True), key)
            except binascii.Error:
                raise UsageError(f"the value of {key} is not base64") from None
        else:
            content[key] = value
    if arguments.stdin is not None:
        content.update(mapping(arguments.stdin))
    return content or None


def _text(content: bytes, key: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ToolError(f"the value of {key} is not UTF-8 text") from None


def _attributes(arguments: Arguments) -> Attributes:
    rotate = arguments.flags.get("rotate")
    if rotate is not None and rotate not in {"never", *ROTATIONS}:
        raise UsageError(f'rotate policy "{rotate}" not valid')
    return Attributes(
        label=arguments.flags.get("label"),
        description=arguments.flags.get("description"),
        rotate=rotate,
        expire=_expiry(arguments.flags.get("expire")),
    )


def _expiry(text: str | None) -> float | None:
    if not text:
        return None
    seconds = duration(text)
    if seconds is not None:
        return time.time() + seconds
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f'expire time or duration "{text}" not valid') from None


CONTENT = tuple(Flag((name,)) for name in ("label", "description", "expire", "rotate", "owner", "file"))
TARGETS = (RELATION, Flag(("unit",)), Flag(("app", "application")))
TOOLS = (
    Tool("secret-add", secret_add, CONTENT, None),
    Tool(
        "secret-get",
        secret_get,
        (*FORMAT, Flag(("label",)), Flag(("refresh",), "bool"), Flag(("peek",), "bool")),
        2,
        "yaml",
    ),
    Tool("secret-info-get", secret_info_get, (*FORMAT, Flag(("label",))), 1, "yaml"),
    Tool("secret-set", secret_set, CONTENT, None),
    Tool("secret-grant", secret_grant, TARGETS, 1),
    Tool("secret-revoke", secret_revoke, TARGETS, 1),
    Tool("secret-remove", secret_remove, (Flag(("revision",)),), 1),
    Tool("secret-ids", secret_ids, FORMAT, 0, "yaml"),
)
