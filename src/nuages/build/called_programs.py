"""Which programs a text calls: Python by `subprocess` and its like, a shell script by each command's first word."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence

_MARKS = re.compile(rb"subprocess|os\.(?:system|popen|exec|spawn)|which|create_subprocess|from os import")
_CALLS = {
    *(f"subprocess.{name}" for name in ("run", "Popen", "call", "check_call", "check_output", "getoutput",
                                        "getstatusoutput")),
    *(f"os.{name}" for name in ("system", "popen", "execv", "execve", "execvp", "execvpe", "execl", "execlp",
                                "posix_spawn", "posix_spawnp")),
    *(f"os.spawn{name}" for name in ("l", "lp", "v", "vp")),
    "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "shutil.which",
}  # fmt: skip
_SHELL = ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
          "asyncio.create_subprocess_shell")  # fmt: skip
_MODE_FIRST = re.compile(r"os\.spawn")
_PLACES = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/", "/usr/local/sbin/")
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")
_PYTHONS = re.compile(r"python[\d.]*")
_TEST = re.compile(r"(?:^|/)(?:tests?/|test_[^/]*$|[^/]*_tests?\.py$|tests\.py$|conftest\.py$)")
_KEYWORDS = frozenset(
    """
    if then else elif fi for while until do done case esac in function select time . : [ [[ ! { } alias bg break cd
    command continue declare eval exec exit export false fg getopts hash jobs let local popd pushd read readonly return
    set shift shopt source test trap true type typeset ulimit umask unalias unset wait
    """.split()  # noqa: SIM905  a text of words is read and changed more easily
)
_WRAPPERS = (
    "exec",
    "command",
    "time",
    "!",
    "then",
    "else",
    "do",
    "if",
    "while",
    "until",
    "elif",
    "env",
    "nohup",
    "nice",
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)")


def is_test(name: str) -> bool:
    """Whether a file of the application is one of its tests, which nobody runs in the rock."""
    return _TEST.search(name) is not None


def name_of(word: str) -> str:
    """Return a program's name; "" when the word is a path of the application's own, Python, or no name at all."""
    for place in _PLACES:
        if word.startswith(place):
            word = word[len(place) :]
            break
    return word if _NAME.fullmatch(word) and not _PYTHONS.fullmatch(word) else ""


def of_module(content: bytes) -> Iterator[str]:
    """Yield the programs that a Python module calls, as far as they are written out."""
    if not _MARKS.search(content):
        return
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return
    names: dict[str, str] = {}
    values: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({alias.asname or alias.name: alias.name for alias in node.names})
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id] = node.value
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _called(node, names, values)


def _called(node: ast.Call, names: dict[str, str], values: dict[str, ast.expr]) -> Iterator[str]:
    function = _function(node.func, names)
    if function not in _CALLS:
        return
    arguments = list(node.args[1:] if _MODE_FIRST.match(function) else node.args)
    arguments += [keyword.value for keyword in node.keywords if keyword.arg in ("args", "cmd", "command")]
    shell = function in _SHELL or any(
        keyword.arg == "shell" and isinstance(keyword.value, ast.Constant) and keyword.value.value
        for keyword in node.keywords
    )
    if not arguments:
        return
    first = arguments[0]
    if isinstance(first, ast.Name):
        first = values.get(first.id, first)
    if isinstance(first, ast.Call) and _function(first.func, names) == "shlex.split" and first.args:
        first, shell = first.args[0], True
    if isinstance(first, ast.List | ast.Tuple):
        first, shell = (first.elts[0] if first.elts else first), False
    text = _text(first, values)
    if not text:
        return
    if shell:
        yield from of_script(text.encode())
    elif name := name_of(text):
        yield name


def _function(node: ast.expr, names: dict[str, str]) -> str:
    """Return a function's dotted name, as it is called where it is defined."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{names.get(node.value.id, node.value.id)}.{node.attr}"
    return ""


def _text(node: ast.expr, values: dict[str, ast.expr]) -> str:
    """Return a text, or how it begins up to what is only known when it runs."""
    if isinstance(node, ast.Name):
        node = values.get(node.id, node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
        text = str(node.values[0].value)
        return text if re.search(r"\s", text) else ""
    if isinstance(node, ast.BinOp):
        text = _text(node.left, values)
        return text if re.search(r"\s", text) else ""
    return ""


def of_script(content: bytes) -> Iterator[str]:
    """Yield the programs that a shell script calls: the first words of its commands."""
    text = content.decode(errors="replace")
    first = text.partition("\n")[0]
    if first.startswith("#!") and not re.search(r"\b(?:ba|da)?sh\b", first):
        return
    functions = set(re.findall(r"^\s*(?:function\s+)?([\w-]+)\s*\(\)", text, re.MULTILINE))
    ends = ""
    for line in text.replace("\\\n", " ").splitlines():
        if ends:
            ends = "" if line.strip() == ends else ends
            continue
        for words in _commands(line):
            name = _first(words)
            if name and name not in functions:
                yield name
        heredoc = _HEREDOC.search(line)
        ends = heredoc[1] if heredoc else ""


def _commands(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&;|()")
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        tokens = [*lexer, ";"]
    except ValueError:  # a quotation that goes on in the next line
        return
    for word in tokens:
        if word and all(character in "&;|()" for character in word):
            if words:
                yield words
            words = []
        else:
            words.append(word)


def _first(words: Sequence[str]) -> str:
    rest = list(words)
    while rest and (rest[0] in _WRAPPERS or _ASSIGNMENT.match(rest[0])):
        rest = rest[1:]
    if not rest or rest[0] in _KEYWORDS:
        return ""
    return name_of(rest[0])
