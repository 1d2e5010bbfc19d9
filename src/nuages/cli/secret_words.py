"""How the content of a secret is read from words and files. No error says a value."""

import base64
import binascii
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import click

from nuages.cli.errors import CliError

STDIN = "-"
CONTENT_HELP = "A YAML or JSON file of keys and values; - is standard input."


def content(words: Sequence[str], file: str | None) -> dict[str, str]:
    """Return the content that `KEY=VALUE`, `KEY#base64=VALUE` and `KEY#file=PATH` words and a file make.

    The file's keys win, as with Juju. Raises a usage error for a word that is none, and `CliError` for what cannot be
    read.
    """
    result = dict(_pair(word, position) for position, word in enumerate(words, 1))
    return {**result, **(_from_file(file) if file is not None else {})}


def _pair(word: str, position: int) -> tuple[str, str]:
    # base64 ends with its own equals signs: the first one parts key and value
    key, sign, value = word.partition("=")
    if not sign or not key:
        raise click.UsageError(f"word {position} of the secret's content is not KEY=VALUE")
    if key.endswith("#base64"):
        return key.removesuffix("#base64"), _decoded(key, value)
    if key.endswith("#file"):
        return key.removesuffix("#file"), _text(_read(value), f"the file of {key}")
    return key, value


def _decoded(key: str, value: str) -> str:
    try:
        return _text(base64.b64decode(value, validate=True), f"the value of {key}")
    except binascii.Error:
        raise click.UsageError(f"the value of {key} is not base64") from None


def _from_file(path: str) -> dict[str, str]:
    import yaml

    text = _text(_read(path), path)
    try:
        document: Any = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  a foreign document
        try:
            document = yaml.load(text, yaml.BaseLoader)  # noqa: S506  makes nothing but text: 0123 stays 0123
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
            raise CliError(f"cannot read the secret's content: {path} is not YAML{place}") from None
    if not isinstance(document, dict):
        raise CliError(
            f"cannot read the secret's content: {path} is not a mapping of keys to values",
            fix="write lines like `password: …`",
        )
    result: dict[str, str] = {}
    for key, value in cast("dict[Any, Any]", document).items():
        if not isinstance(value, str) or not isinstance(key, str):
            raise CliError(
                f"cannot read the secret's content: the value of {key} in {path} is not text", fix="quote it"
            )
        result[key.removesuffix("#base64")] = _decoded(key, value) if key.endswith("#base64") else value
    return result


def _read(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == STDIN else Path(path).expanduser().read_bytes()
    except OSError as error:
        raise CliError(
            f"cannot read {path!r}: {error.strerror}", fix="name a file that you can read, or - for standard input"
        ) from error


def _text(raw: bytes, what: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise CliError(f"cannot read {what}: it is not UTF-8 text") from None
