"""Asking a project instead of guessing: its settings, imported in the built environment with the charm's variables.

The project's code runs in a sandbox: no network, nothing of the host but /usr and the environment, the project
read-only, a /tmp of its own, as a user that is nobody on the host.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nuages.build import confined, probe_charm, rock_project
from nuages.build.environment import Environment, environment
from nuages.build.errors import BuildError
from nuages.build.files import make_readable
from nuages.build.probe_variables import HOST, URL, Asked, variables
from nuages.build.rock_project import RockProject
from nuages.contract import layout
from nuages.engine.programs import Progress, ensure, pythons
from nuages.engine.sandbox import process
from nuages.extension.codes import severity
from nuages.extension.django.findings import Place, Settings
from nuages.extension.names import shown as shown_path
from nuages.extension.problems import Problem
from nuages.extension.survey.sources import Survey, survey

TIMEOUT = 120.0
"""Seconds: importing the settings of the largest projects seen takes a tenth."""

LARGEST = 5 * 1024 * 1024
"""Larger files are data, and stay out of the sandbox."""


class Evaluation(NamedTuple):
    """What only the built environment tells."""

    problems: list[Problem]
    commands: frozenset[str]
    """The programs that the project's packages bring."""
    note: str = ""
    """Why the charm's own variables are not among those that the settings were given."""


def probe(root: Path, charm: Path, progress: Callable[[Progress], None] | None = None) -> Evaluation:
    """Return the problems seen by importing the settings of the project in `root`, and what its packages bring.

    Raises:
        BuildError: the environment cannot be built, or the sandbox cannot be made here.
        ProgramError: a program cannot be fetched.
    """
    project = rock_project.read(root)
    made = environment(project, pythons.find(project.base.python), progress)
    found = survey(root, charm)
    settings = found.findings.settings if found.findings else None
    key = secrets.token_urlsafe(50)
    asked = variables(found.project.document, key)
    bwrap = str(ensure("bwrap", progress=progress)["bwrap"])
    note = ""
    if probe_charm.adds(found.source):
        whole, note = probe_charm.added(found.project, charm, made, asked, bwrap)
        aliased = variables(found.project.document, key, found.source)
        asked = aliased if note else asked._replace(environment=whole)
    question = {
        "module": project.wsgi or _served(found),
        "settings": _selected(found),
        "key": key,
        "host": HOST,
        "database": asked.database,
    }
    answer = _ask(project, made, asked, question, bwrap)
    names = dict(project.files())
    return Evaluation(list(judge(answer, asked, settings, Shown(found, names))), made.commands, note)


def _selected(found: Survey) -> str:
    """Return the settings module that the project's own lines select, which may be a bridge to the real one."""
    findings = found.findings
    if findings is None:
        return ""
    by_place = {selection.where: selection.module for selection in reversed(findings.selections)}
    named = by_place.get("asgi" if findings.asynchronous else "wsgi") or by_place.get("manage")
    return named or (findings.settings.module if findings.settings else "")


def _served(found: Survey) -> str:
    """Return the module that the web service's own command in rockcraft.yaml serves, else the one that was found."""
    command = found.rock.get("services", "django", "command") if found.rock else None
    named = layout.served(command) if isinstance(command, str) else ""
    if named:
        return named.partition(":")[0]
    findings = found.findings
    server = (findings.asgi if findings.asynchronous else findings.wsgi) if findings else None
    return server.value if server else ""


def _ask(
    project: RockProject,
    made: Environment,
    asked: Asked,
    question: dict[str, Any],
    bwrap: str,
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="nuages-probe-") as temporary:
        folder = Path(temporary)
        application = folder / "app"
        application.mkdir()
        for name, path in project.files():
            if path.stat().st_size <= LARGEST:
                (application / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, application / name)
        shutil.copyfile(Path(__file__).with_name("ask_settings.py"), folder / "ask.py")
        (folder / "question.json").write_text(json.dumps(question))
        make_readable(folder)
        folder.chmod(0o755)
        result = process.run(
            _command(bwrap, made, folder, project.base.layout.app),
            environment={**confined.ENVIRONMENT, **asked.environment},
            timeout=TIMEOUT,
        )
    try:
        answer: dict[str, Any] = json.loads(result.out)
    except ValueError:
        reason = (result.err.strip().splitlines() or ["it said nothing"])[-1]
        raise BuildError(
            f"cannot evaluate the settings: {reason}",
            fix="nuages doctor, which looks at the sandbox; `nuages check` alone goes without",
        ) from None
    return answer


def _command(bwrap: str, made: Environment, folder: Path, app: str) -> list[str]:
    inside = ["--ro-bind", str(folder / "app"), app]
    for name in ("ask.py", "question.json"):
        inside += ["--ro-bind", str(folder / name), "/" + name]
    return confined.command(bwrap, made, inside, ["/bin/python3", "/ask.py", "/question.json"], app=app)


class Shown:
    """Names in the application's folder as the user knows them."""

    def __init__(self, found: Survey, names: dict[str, Path]) -> None:
        self._found = found
        self._names = names

    def file(self, name: str) -> str:
        """Return the file to show for a name in it."""
        path = self._names.get(name)
        return name if path is None else shown_path(path)

    def place(self, settings: Settings | None, setting: str) -> tuple[str, int]:
        """Return where a setting is given."""
        place = settings.places.get(setting) if settings else None
        place = place or (Place(settings.file) if settings else Place("rockcraft.yaml"))
        return self._found.prefix + place.file, place.line


def judge(answer: dict[str, Any], asked: Asked, settings: Settings | None, shown: Shown) -> Iterator[Problem]:
    """Yield the problems in what the project answered."""
    written: list[list[Any]] = answer["written"]
    failed: dict[str, Any] | None = answer.get("error")
    fatal = bool(failed and failed["read_only"] and written)
    for name, file, line in written:
        why = f"{name} is written when the settings are imported"
        fix = "write below /tmp, or keep it in a database or storage"
        level = "error" if fatal else severity("writes-at-import")
        yield Problem("writes-at-import", shown.file(file), line, 1, "", why, fix, level)
    if failed:
        if not fatal:
            yield _failed(failed, settings, shown)
        return

    def found(code: str, setting: str, why: str, fix: str) -> Problem:
        file, line = shown.place(settings, setting)
        return Problem(code, file, line, 1 if line else 0, setting, why, fix, severity(code))

    if answer["debug"]:
        fix = 'write os.environ.get("DJANGO_DEBUG", "false") == "true"'
        yield found("debug-on", "DEBUG", "it is on with DJANGO_DEBUG=false", fix)
    if not answer["key"]:
        why = "it is another one than DJANGO_SECRET_KEY"
        yield found("key-not-used", "SECRET_KEY", why, 'write os.environ.get("DJANGO_SECRET_KEY", ...)')
    if not answer["host"]:
        why = f'{HOST} is refused with DJANGO_ALLOWED_HOSTS=["{HOST}"]: every request would be answered with 400'
        fix = 'write json.loads(os.environ.get("DJANGO_ALLOWED_HOSTS", "[]"))'
        yield found("hosts-refused", "ALLOWED_HOSTS", why, fix)
    if asked.database:
        yield from _database(answer, asked, found)
    if answer["manifest"]:
        why = "static files are looked up in a manifest, which is not there until collectstatic has run"
        yield found("static-manifest", "STORAGES", why, "run collectstatic when the rock is built")
    if answer["redirect"]:
        why = f"it is on with DJANGO_BASE_URL={URL}: a redirect for ever where ingress has no TLS"
        fix = 'write os.environ.get("DJANGO_BASE_URL", "").startswith("https:")'
        yield found("https-redirect", "SECURE_SSL_REDIRECT", why, fix)
    for name in answer["cookies"]:
        fix = 'write os.environ.get("DJANGO_BASE_URL", "").startswith("https:")'
        yield found("secure-cookies", name, f"it is on with DJANGO_BASE_URL={URL}: no login would last", fix)


def _failed(failed: dict[str, Any], settings: Settings | None, shown: Shown) -> Problem:
    name = failed["file"]
    file, line = (shown.file(name), int(failed["line"])) if name else shown.place(settings, "")
    why = f"importing them raises {failed['type']}: {failed['text']}"
    fix = "give the setting a value where the charm sets no variable, or add an option of that name to charmcraft.yaml"
    return Problem("settings-fail", file, line, 1 if line else 0, "", why, fix, severity("settings-fail"))


def _database(
    answer: dict[str, Any], asked: Asked, found: Callable[[str, str, str, str], Problem]
) -> Iterator[Problem]:
    fix = f"read the variables that endpoint {asked.endpoint} sets, or `nuages init --settings`"
    if "sqlite" in answer["engine"]:
        why = f"SQLite is in force although {asked.endpoint} is related: its data goes with the container"
        yield found("sqlite-in-force", "DATABASES", why, fix)
    elif wrong := [name for name, same in answer["database"].items() if not same]:
        why = f"its {' and '.join(wrong)} differ from what endpoint {asked.endpoint} gives"
        yield found("database-not-used", "DATABASES", why, fix)
