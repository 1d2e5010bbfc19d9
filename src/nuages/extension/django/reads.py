"""Which variables of the environment an expression reads, and how: plain, django-environ, decouple, environs, URLs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import cast

from nuages.extension.django.findings import Place, Read
from nuages.extension.django.modules import constant, dotted

_PLAIN = ("os.environ.get", "environ.get", "os.getenv", "getenv", "os.environ.setdefault", "environ.pop")
_MAPPINGS = ("os.environ", "environ")
_METHODS = {
    "str": "text",
    "unicode": "text",
    "bytes": "text",
    "path": "text",
    "url": "text",
    "bool": "boolean",
    "int": "integer",
    "float": "integer",
    "list": "commas",
    "tuple": "commas",
    "json": "json",
    "dict": "other",
    "db": "database-url",
    "db_url": "database-url",
    "dj_db_url": "database-url",
    "cache": "cache-url",
    "cache_url": "cache-url",
    "dj_cache_url": "cache-url",
    "email": "email-url",
    "email_url": "email-url",
    "dj_email_url": "email-url",
    "search_url": "other",
    "channels": "other",
    "get_value": "text",
}
"""Methods of django-environ's and environs' reader: name to what kind of text they take."""

_URL_DEFAULTS = {"db": "DATABASE_URL", "db_url": "DATABASE_URL", "cache": "CACHE_URL", "cache_url": "CACHE_URL",
                 "email": "EMAIL_URL", "email_url": "EMAIL_URL", "dj_db_url": "DATABASE_URL"}  # fmt: skip
_TRUTHY = ("true", "1", "yes", "on", "t", "y")


Words = tuple[str, str] | tuple[()]
"""What a boolean is written as, true and false; empty when nothing says so."""


class Reader:
    """Finds the reads in one module's expressions."""

    def __init__(self, file: str, tree: ast.Module) -> None:
        self._file = file
        self._schemes: dict[str, tuple[str, str | None]] = {}
        """Of `Env(DEBUG=(bool, False))`: variable to its kind and default."""
        self._readers: set[str] = {"env", "config", "decouple"}
        self._helpers: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                self._remember_reader(node.targets, node.value)
            elif isinstance(node, ast.FunctionDef) and _reads_environment(node):
                self._helpers.add(node.name)

    def _remember_reader(self, targets: list[ast.expr], call: ast.Call) -> None:
        name = dotted(call.func).rpartition(".")[2]
        if name not in ("Env", "FileAwareEnv", "Config", "AutoConfig"):
            return
        self._readers.update(target.id for target in targets if isinstance(target, ast.Name))
        for keyword in call.keywords:
            if keyword.arg and isinstance(keyword.value, ast.Tuple) and keyword.value.elts:
                cast_name = dotted(keyword.value.elts[0])
                default = keyword.value.elts[1] if len(keyword.value.elts) > 1 else None
                self._schemes[keyword.arg] = (_cast(cast_name), _text(default))

    def reads(self, node: ast.AST, setting: str, key: str = "") -> Iterator[Read]:
        """Yield the reads inside of `node`, whose value becomes `setting`."""
        yield from self._reads(node, setting, key, "text", ())

    def _reads(self, node: ast.AST, setting: str, key: str, kind: str, words: Words) -> Iterator[Read]:
        found = self._read(node, setting, key, kind, words)
        if found is not None:
            yield found
            if isinstance(node, ast.Call):
                for argument in [*node.args[1:], *(keyword.value for keyword in node.keywords)]:
                    yield from self._reads(argument, setting, key, kind, words)
            return
        if isinstance(node, ast.Dict):
            for item_key, value in zip(node.keys, node.values, strict=True):
                name = constant(item_key) or ""
                if isinstance(item_key, ast.AST):
                    yield from self._reads(item_key, setting, key, kind, words)
                yield from self._reads(value, setting, name or key, "text", ())
            return
        kind, words = _around(node, kind, words)
        for child in ast.iter_child_nodes(node):
            yield from self._reads(child, setting, key, kind, words)

    def _read(self, node: ast.AST, setting: str, key: str, kind: str, words: Words) -> Read | None:
        name, required, default, own = "", False, None, ""
        if isinstance(node, ast.Subscript) and dotted(node.value) in _MAPPINGS:
            name, required = constant(node.slice) or "", True
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            if dotted(node.comparators[0]) in _MAPPINGS:
                name = constant(node.left) or ""
        elif isinstance(node, ast.Call):
            name, required, default, own = self._call(node)
        if not name or not isinstance(node, ast.expr):
            return None
        if name in self._schemes:
            scheme, scheme_default = self._schemes[name]
            own = scheme if own in ("", "text") else own
            if default is None and scheme_default is not None:
                default, required = scheme_default, False
        true, false = words or _words_of(own or kind)
        return Read(
            name=name, place=Place(self._file, node.lineno), kind=own if own not in ("", "text") else kind,
            required=required, default=default, setting=setting, key=key, true=true, false=false,
        )  # fmt: skip

    def _call(self, node: ast.Call) -> tuple[str, bool, str | None, str]:  # noqa: PLR0911  one return for each reader
        """Return the variable that a call reads, whether it fails without, its default, its own kind."""
        function = dotted(node.func)
        first = constant(node.args[0]) if node.args else None
        keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        if function in _PLAIN:
            return (first or "", False, _text(node.args[1] if len(node.args) > 1 else keywords.get("default")), "")
        base, _, method = function.rpartition(".")
        if function.startswith("dj_database_url.") or (function == "config" and "conn_max_age" in keywords):
            if method == "config":
                return (
                    constant(keywords.get("env")) or "DATABASE_URL",
                    False,
                    _text(keywords.get("default")),
                    "database-url",
                )
            return "", False, None, ""
        if base in self._readers and method in _METHODS:
            name = first or constant(keywords.get("var")) or _URL_DEFAULTS.get(method, "")
            default = keywords.get("default") or (node.args[1] if len(node.args) > 1 else None)
            return name, default is None, _text(default), _METHODS[method]
        if function in self._readers and first:
            default = keywords.get("default") or (
                node.args[1] if len(node.args) > 1 and not isinstance(node.args[1], ast.Name) else None
            )
            kind = _cast(dotted(keywords["cast"]) or _called(keywords["cast"])) if "cast" in keywords else ""
            return first, default is None, _text(default), kind
        if function in self._helpers and first and first.isupper():
            default = keywords.get("default") or (node.args[1] if len(node.args) > 1 else None)
            return first, default is None, _text(default), ""
        return "", False, None, ""


def _around(node: ast.AST, kind: str, words: Words) -> tuple[str, Words]:  # noqa: PLR0911  one return for each form
    """Return the kind of text that a read inside of `node` must give, by what is done with it."""
    if isinstance(node, ast.Call):
        function = dotted(node.func) or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
        last = function.rpartition(".")[2]
        if function in ("json.loads", "loads", "ast.literal_eval", "literal_eval"):
            return "json", words
        if function in ("int", "float"):
            return "integer", ("1", "0")
        if function == "bool":
            return ("boolean", words) if kind == "boolean" else ("boolean", ("1", ""))
        if last == "strtobool" or "bool" in last:
            return "boolean", ("true", "false")
        if last == "split" and isinstance(node.func, ast.Attribute):
            separator = constant(node.args[0]) if node.args else " "
            return ("commas" if separator == "," else "blanks"), words
        if function.startswith("dj_database_url.") and last == "parse":
            return "database-url", words
    if isinstance(node, ast.Compare) and len(node.comparators) == 1:
        texts = [text for inner in ast.walk(node.comparators[0]) if (text := constant(inner)) is not None]
        true = next((text for text in texts if text.lower() in _TRUTHY), None)
        if true is not None and isinstance(node.ops[0], ast.Eq | ast.In):
            return "boolean", (true, "0" if true == "1" else "false" if true.islower() else "False")
    return kind, words


def _words_of(kind: str) -> tuple[str, str]:
    if kind == "integer":
        return "1", "0"
    return ("true", "false") if kind == "boolean" else ("True", "False")


def _cast(name: str) -> str:
    last = name.rpartition(".")[2].lower()
    return {"bool": "boolean", "int": "integer", "float": "integer", "list": "commas", "csv": "commas"}.get(
        last, "boolean" if "bool" in last else "commas" if "csv" in last else "text"
    )


def _called(node: ast.AST) -> str:
    return dotted(node.func) if isinstance(node, ast.Call) else ""


def _text(node: ast.AST | None) -> str | None:
    """Return a literal default as text; `...` when there is one that is not written out."""
    if node is None:
        return None
    if isinstance(node, ast.Constant):
        return "" if node.value is None else str(node.value)
    if isinstance(node, ast.JoinedStr) and node.values:
        return (constant(node.values[0]) or "") + "..."
    return "..."


def _reads_environment(node: ast.FunctionDef) -> bool:
    """Whether a function is a helper that reads a variable named by its first argument."""
    if not node.args.args:
        return False
    first = node.args.args[0].arg
    for inner in ast.walk(node):
        if isinstance(inner, ast.Subscript) and dotted(inner.value) in _MAPPINGS and dotted(inner.slice) == first:
            return True
        if (
            isinstance(inner, ast.Call)
            and dotted(inner.func) in _PLAIN
            and inner.args
            and dotted(inner.args[0]) == first
        ):
            return True
    return False


def literal(node: ast.AST) -> object:
    """Return the value that is written out in `node`, None when there is none.

    Of lists and dictionaries the parts that are written out are returned.
    """
    if isinstance(node, ast.Constant):
        return cast("object", node.value)
    if isinstance(node, ast.List | ast.Tuple):
        return [value for item in node.elts if (value := literal(item)) is not None]
    if isinstance(node, ast.Dict):
        pairs = [(constant(key), literal(value)) for key, value in zip(node.keys, node.values, strict=True)]
        return {key: value for key, value in pairs if key is not None and value is not None}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left: object = literal(node.left)
        right: object = literal(node.right)
        if isinstance(left, list) or isinstance(right, list):
            return [*_items(cast("object", left)), *_items(cast("object", right))]
    return None


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
