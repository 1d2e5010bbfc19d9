"""Rules on what the settings say, as far as that can be read: see `nuages check --evaluate` for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nuages.contract.endpoints import RABBITMQ
from nuages.contract.options import HEALTH_PATH, VHOST, variable_of
from nuages.extension.django.findings import Place, Settings
from nuages.extension.problems import Problem
from nuages.extension.survey.sources import TEXTS, Survey

READ_ELSEWHERE = ("DJANGO_SETTINGS_MODULE", variable_of(HEALTH_PATH))
"""Variables that Django itself, or the charm, reads."""

_EVERYTHING = re.compile(r"""["']DJANGO_["']|environ\.(items|copy|keys|values)\(|dict\(os\.environ|\*\*os\.environ""")
"""Signs of code that takes variables by their prefix, or all of them."""

_SETTINGS = {
    "key": "SECRET_KEY",
    "public-key": "SECRET_KEY",
    "debug": "DEBUG",
    "hosts": "ALLOWED_HOSTS",
    "database": "DATABASES",
    "hosts-format": "ALLOWED_HOSTS",
    "debug-format": "DEBUG",
}
"""By code of what detection remarks: the setting that it is about."""

_SERVED = re.compile(r"^[^#\n]*(whitenoise\.middleware|servestatic\.middleware|dj_static)", re.MULTILINE)

_MORE = (*TEXTS, ".html", ".yaml", ".yml", ".ini", ".conf")


def options(survey: Survey) -> Iterator[Problem]:
    """Each option is read by something."""
    document = survey.project.document
    names = list(document.mapping("config", "options"))
    if not names or survey.findings is None:
        return
    brokers = [
        name
        for name, entry in document.mapping("requires").items()
        if isinstance(entry, dict) and entry.get("interface") == RABBITMQ.name
    ]
    read = {*READ_ELSEWHERE, *(variable_of(name + VHOST) for name in brokers)}
    wanted = {name: variable_of(name) for name in names if variable_of(name) not in read}
    for file in survey.tree.names:
        if not wanted:
            return
        if not file.endswith(_MORE):
            continue
        text = survey.tree.text(file)
        if _EVERYTHING.search(text) and file.endswith(".py"):
            return
        for name in [name for name, variable in wanted.items() if variable in text]:
            del wanted[name]
    for name, variable in wanted.items():
        yield survey.of(
            document,
            "unread-option",
            ("config", "options", name),
            f"becomes {variable}, which nothing in the project reads",
            f'write os.environ.get("{variable}") in the settings, or remove the option',
        )


def literals(survey: Survey) -> Iterator[Problem]:
    """Key, debug and hosts come from the charm."""
    settings = survey.findings.settings if survey.findings else None
    if settings is None or (survey.findings is not None and survey.findings.bridged):
        return  # behind a bridge what is written out is for the laptop alone
    key = settings.literals.get("SECRET_KEY")
    if isinstance(key, str) and key and not settings.reading("SECRET_KEY"):
        fix = 'write os.environ.get("DJANGO_SECRET_KEY", ...)'
        yield _literal(survey, settings, "SECRET_KEY", "hard-coded-key", "is written out", fix)
    if settings.literals.get("DEBUG") is True:
        fix = 'write os.environ.get("DJANGO_DEBUG", "false") == "true"'
        yield _literal(survey, settings, "DEBUG", "hard-coded-debug", "is always on", fix)
    hosts = settings.literals.get("ALLOWED_HOSTS")
    if isinstance(hosts, list) and not settings.reading("ALLOWED_HOSTS"):
        fix = 'write json.loads(os.environ.get("DJANGO_ALLOWED_HOSTS", "[]"))'
        why = "is written out: the public host is not among them" if "*" not in hosts else "takes any host for ours"
        yield _literal(survey, settings, "ALLOWED_HOSTS", "hard-coded-hosts", why, fix)


def _literal(  # noqa: PLR0917  as a sentence: where, what, why, how
    survey: Survey, settings: Settings, name: str, code: str, why: str, fix: str
) -> Problem:
    return survey.at(code, settings.places.get(name, Place(settings.file)), name, why, fix)


def variables(survey: Survey) -> Iterator[Problem]:
    """Settings are made from variables that the charm sets, and read as it writes them."""
    settings = survey.findings.settings if survey.findings else None
    if survey.findings is None or settings is None:
        return
    for remark in survey.findings.remarks:
        setting = _SETTINGS.get(remark.code)
        if setting is None:
            continue
        fix = "read what the charm sets (docs/reference/variables.md); `nuages init --settings` writes a bridge"
        if remark.code.endswith("-format"):
            yield survey.at("other-format", remark.place, setting, remark.text, fix)
        elif (reads := settings.reading(setting)) and not any(_set_by_charm(survey, read.name) for read in reads):
            yield survey.at("other-variable", remark.place, setting, remark.text, fix)


def _set_by_charm(survey: Survey, variable: str) -> bool:
    """Whether the charm's own code names a variable: it hands it over under the project's name."""
    return bool(variable) and re.search(rf"""["']{re.escape(variable)}["']""", survey.source) is not None


def database(survey: Survey) -> Iterator[Problem]:
    """There is a database beside SQLite."""
    for remark in survey.findings.remarks if survey.findings else ():
        reads = survey.findings.settings.reads if survey.findings and survey.findings.settings else ()
        here = [read.name for read in reads if read.place == remark.place]
        if remark.code == "sqlite" and not any(_set_by_charm(survey, name) for name in here):
            fix = (
                "read the variables of a related database, POSTGRESQL_DB_NAME and so on; `nuages init --settings` does"
            )
            yield survey.at("sqlite-only", remark.place, "DATABASES", remark.text, fix)


def static_files(survey: Survey) -> Iterator[Problem]:
    """Something serves the static files."""
    findings = survey.findings
    if findings is None or findings.settings is None or findings.static.served or findings.bridged:
        return
    files = findings.settings.files or (findings.settings.file,)
    if any(_SERVED.search(survey.tree.text(file)) for file in files):
        return  # named in code that adds to the list
    apps = findings.settings.literals.get("INSTALLED_APPS")
    if isinstance(apps, list) and "django.contrib.staticfiles" in apps:
        place = findings.settings.places.get("MIDDLEWARE") or findings.settings.places["INSTALLED_APPS"]
        why = "nothing serves static files under gunicorn"
        fix = "add `whitenoise` to the requirements and whitenoise.middleware.WhiteNoiseMiddleware to MIDDLEWARE"
        yield survey.at("no-static-files", place, "MIDDLEWARE", why, fix)


RULES = (options, literals, variables, database, static_files)
