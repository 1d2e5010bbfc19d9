"""Tools about secrets. Values come as `key=value` or `key#file=PATH`, never into a message."""

from __future__ import annotations

import base64
import binascii
import time
from datetime import datetime
from typing import Any

from nuages.engine import secrets as rules
from nuages.engine.config import UNITS, seconds
from nuages.engine.hooks import secrets
from nuages.engine.hooks.arguments import Arguments, Flag
from nuages.engine.hooks.context import HookContext
from nuages.engine.hooks.errors import ToolError, UsageError
from nuages.engine.hooks.tools.tool import FORMAT, RELATION, SILENT, Tool, relation_id
from nuages.engine.resolver.advance import ROTATIONS
from nuages.engine.secrets import Attributes, SecretError


def secret_add(context: HookContext, arguments: Arguments) -> str:
    """Create a secret and print its URI."""
    content = _content(arguments, arguments.positional)
    if not content:
        raise UsageError("missing secret value or filename")
    owner = arguments.text("owner", "application")
    if owner not in ("application", "unit"):
        raise UsageError(f'secret owner "{owner}" not valid')
    return secrets.add(context, owner, content, _attributes(arguments))


def secret_get(context: HookContext, arguments: Arguments) -> Any:
    """Print a secret's content, or one key of it."""
    words = list(arguments.positional)
    label = arguments.text("label")
    uri = words.pop(0) if words and (words[0].startswith("secret:") or not label or len(words) > 1) else ""
    if not uri and not label:
        raise UsageError("require either a secret URI or label")
    refresh, peek = arguments.flag("refresh"), arguments.flag("peek")
    if refresh and peek:
        raise UsageError("specify one of --refresh or --peek but not both")
    content = secrets.get(context, uri, label, refresh=refresh, peek=peek)
    if not words:
        return dict(content)
    if words[0] not in content:
        raise ToolError(f'secret key "{words[0]}" not found')
    return content[words[0]]


def secret_info_get(context: HookContext, arguments: Arguments) -> Any:
    """Print what the owner may know of a secret besides its content."""
    uri, label = arguments.at(0), arguments.text("label")
    if not uri and not label:
        raise UsageError("require either a secret URI or label")
    try:
        secret = rules.find(context.draft, context.unit_name, uri, label)
    except SecretError as error:
        raise ToolError(str(error)) from error
    if secret.id not in secrets.owned(context):
        raise ToolError(f'secret "{secret.id}" not found')
    return {secret.id: rules.information(secret)}


def secret_set(context: HookContext, arguments: Arguments) -> Any:
    """Change a secret when the hook succeeds."""
    if not arguments.positional:
        raise UsageError("missing secret URI")
    content = _content(arguments, arguments.positional[1:])
    secrets.change(context, arguments.at(0), content or None, _attributes(arguments))
    return SILENT


def secret_grant(context: HookContext, arguments: Arguments) -> Any:
    """Let the other side of a relation read a secret."""
    if not arguments.positional:
        raise UsageError("missing secret URI")
    secrets.grant(context, arguments.at(0), relation_id(context, arguments), arguments.text("unit") or None)
    return SILENT


def secret_revoke(context: HookContext, arguments: Arguments) -> Any:
    """Take the right to read a secret back."""
    if not arguments.positional:
        raise UsageError("missing secret URI")
    if arguments.text("unit"):
        targets = (arguments.text("unit"),)
    elif arguments.text("app"):
        targets = (arguments.text("app"),)
    else:
        targets = (context.remote_application(relation_id(context, arguments)),)
    secrets.revoke(context, arguments.at(0), targets)
    return SILENT


def secret_remove(context: HookContext, arguments: Arguments) -> Any:
    """Remove a secret or a revision when the hook succeeds."""
    if not arguments.positional:
        raise UsageError("missing secret URI")
    text = arguments.text("revision")
    if text and not text.isdecimal():
        raise UsageError(f'invalid value "{text}" for option --revision: not a number')
    secrets.remove(context, arguments.at(0), int(text) if text else None)
    return SILENT


def secret_ids(context: HookContext, arguments: Arguments) -> list[str]:
    """Print the ids of the secrets that the unit manages."""
    return secrets.owned(context)


def _content(arguments: Arguments, words: tuple[str, ...]) -> dict[str, str]:
    content: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
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
    return content


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
    if text[-1] in UNITS and text[0].isdigit() and "T" not in text:
        return time.time() + seconds(text)
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise UsageError(f'expire time "{text}" not valid') from None


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
