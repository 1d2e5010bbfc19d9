"""The codes of problems: one row each, for pages, formats and the question of what stops what. Data alone."""

from __future__ import annotations

from typing import NamedTuple

CHARMCRAFT = "charmcraft"
"""charmcraft refuses the document too."""
LOST = "lost"
"""charmcraft takes it, and what was meant is then dropped without a word."""
JUJU = "juju"
"""charmcraft takes it; Juju, or the charm when it runs, does not."""
PROJECT = "project"
"""Seen in the project's files together."""
EVALUATED = "evaluated"
"""Seen by importing the settings as the charm would: `nuages check --evaluate`."""


class Code(NamedTuple):
    """One kind of problem."""

    name: str
    by: str
    severity: str
    title: str
    why: str
    """What goes wrong when it stays, for the page."""
    mend: str
    fixable: bool = False
    """Whether `nuages check --fix` mends it, in every case or in some."""


def _c(name: str, title: str, why: str, mend: str, *, fixable: bool = False) -> Code:
    return Code(name, CHARMCRAFT, "error", title, why, mend, fixable)


def _p(name: str, severity: str, title: str, why: str, mend: str, *, fixable: bool = False) -> Code:
    return Code(name, PROJECT, severity, title, why, mend, fixable)


def _e(name: str, severity: str, title: str, why: str, mend: str) -> Code:
    return Code(name, EVALUATED, severity, title, why, mend)


CODES: tuple[Code, ...] = (
    _c(
        "yaml",
        "The file is no YAML, or not one that can be read the same way everywhere",
        "Nothing can be known about the charm. A key that stands twice, or that is not text, is refused as well: "
        "readers disagree on what it means.",
        "Correct the place that is named. Tabs, a missing blank after `:` and unclosed quotes are the usual causes.",
    ),
    _c(
        "unknown-key",
        "A key that charmcraft.yaml does not have",
        "charmcraft refuses the file. Most often it is a slip of the pen, and what was meant is missing.",
        "Rename it to the key that the message suggests, or remove it.",
        fixable=True,
    ),
    _c(
        "missing-key",
        "A key that every charm needs is not there",
        "charmcraft refuses the file.",
        "Write the key.",
        fixable=True,
    ),
    _c(
        "empty-key",
        "A key without a value",
        "charmcraft fails on it: it looks into the value and finds none.",
        "Write the value, or remove the key.",
        fixable=True,
    ),
    _c("not-text", "A value that should be text", "charmcraft refuses the file.", "Put the value in quotes."),
    _c("not-mapping", "A value that should be a mapping", "charmcraft fails on it.", "Write `name: ...` lines below."),
    _c("not-list", "A value that should be a list", "charmcraft fails on it.", "Write `- item` lines below."),
    _c("not-boolean", "A value that should be true or false", "charmcraft refuses the file.", "Write true or false."),
    _c(
        "text-length",
        "A text that is too short or too long",
        "Charmhub's lists have room for 40 characters of title and 200 of summary.",
        "Shorten it; the description takes the rest.",
    ),
    _c(
        "name",
        "A name that no charm can have",
        "The name becomes part of addresses and file names.",
        "Use lower-case letters, digits and single hyphens, with at least one letter, at most 40 characters.",
    ),
    _c("version", "A version that is none", "charmcraft refuses the file.", 'Write it in quotes, like `"1.0"`.'),
    _c(
        "charm-user",
        "A user that Juju does not know",
        "Juju runs the charm as root, as a sudoer or as neither.",
        "Write root, sudoer or non-root.",
    ),
    _c(
        "retired-key",
        "A key that charmcraft still knows but takes no value for",
        "Its place is elsewhere now.",
        "Move the value to where the message says.",
    ),
    _c(
        "links",
        "A link that Charmhub cannot show",
        "charmcraft refuses the file.",
        "Write an address that begins with https://, or remove the link.",
    ),
    _c(
        "analysis",
        "An analysis that does not exist",
        "charmcraft refuses the file.",
        "Name one of charmcraft's linters or attributes.",
    ),
    _c(
        "charm-libs",
        "A charm library that cannot be named so",
        "charmcraft refuses the file. (Nuages needs no charm library; those that you add are yours to fetch.)",
        'Write `- lib: charm-name.library` and `version: "1"`.',
    ),
    _c(
        "second-file",
        "Two places for one thing",
        "charmcraft refuses a key of charmcraft.yaml that metadata.yaml, config.yaml or actions.yaml give too, and the "
        "extension always writes options and actions.",
        "Move everything to charmcraft.yaml and remove the other file.",
    ),
    _c(
        "part",
        "A part that charmcraft cannot build",
        "charmcraft refuses the file.",
        "Correct the part; `plugin: dump` and `source: .` is the simplest one.",
    ),
    _c(
        "bases",
        "An entry of `bases:` that is none",
        "`bases:` is the older form and stops at Ubuntu 22.04; YAML reads an unquoted 22.04 as a number.",
        'Write `base: ubuntu@24.04` and `platforms:`, or `channel: "22.04"` in quotes.',
        fixable=True,
    ),
    _c(
        "platform",
        "A platform that does not exist",
        "charmcraft cannot tell for which machine the charm is.",
        "Write `amd64:` or `arm64:` alone, or give build-on and build-for.",
    ),
    _c(
        "base",
        "A base that the extension does not have",
        "What is contributed depends on the base, so there is exactly one.",
        "Write `base: ubuntu@24.04`.",
    ),
    _c(
        "experimental",
        "A base that charmcraft has only behind a flag",
        "On Ubuntu 26.04 names of container, resource and options differ, and may still change.",
        "Use ubuntu@24.04, or set CHARMCRAFT_ENABLE_EXPERIMENTAL_EXTENSIONS=1.",
    ),
    _c(
        "unknown-extension",
        "An extension that is not here",
        "Nuages has one extension, django-framework.",
        "Write `- django-framework`.",
        fixable=True,
    ),
    _c("type", "Not a charm", "The extension makes charms.", "Write `type: charm`.", fixable=True),
    _c(
        "charm-part",
        "A part named charm",
        "The extension defines the part of that name.",
        "Remove it, or give it another name.",
        fixable=True,
    ),
    _c(
        "refused-key",
        "A key that does not go together with the extension",
        "A charmed Django application keeps its data in what it is related to, not in storage of its own.",
        "Remove it.",
        fixable=True,
    ),
    _c(
        "reserved-value",
        "A key whose value the extension gives",
        "Container, resource and peer relation are what rock and charm agree on.",
        "Remove the key.",
        fixable=True,
    ),
    _c(
        "contributed-key",
        "A name that the extension contributes already",
        "charmcraft refuses a second option, action or endpoint of that name.",
        "Remove it, or give it another name.",
        fixable=True,
    ),
    _c(
        "reserved-prefix",
        "An option with a name that belongs to the extension",
        "`webserver-` and `django-` are prefixes of contributed options.",
        "Give it another name: without `django-` it becomes the same variable.",
    ),
    _c(
        "required-default",
        "An option that must be set and has a default",
        "`optional: false` means that the charm waits until somebody sets the option.",
        "Remove `default:` or `optional: false`.",
    ),
    _c(
        "paas-config",
        "A value in paas-config.yaml that cannot be",
        "charmcraft refuses the charm.",
        "Write a port from 1 to 65535, and a path that begins with `/`.",
    ),
    _c(
        "cos-custom",
        "Something in cos_custom/ that has no place there",
        "Only three directories go into the charm.",
        "Keep grafana_dashboards, loki_alert_rules and prometheus_alert_rules.",
    ),
    _c(
        "endpoint-entry",
        "An endpoint that is not a mapping",
        "charmcraft fails on it.",
        "Write `interface: ...` below it.",
    ),
    _c(
        "option-entry",
        "An option that is not a mapping",
        "charmcraft fails on it.",
        "Write at least `type: string` below it.",
    ),
    Code(
        "dropped-prefix",
        LOST,
        "error",
        "An option that never reaches the application",
        "charmcraft takes options that begin with `app-`, and the charm then drops them without a word.",
        "Give it another name.",
    ),
    Code(
        "colliding-variable",
        LOST,
        "error",
        "Two things that become one variable",
        "One of the two would be lost.",
        "Rename the option.",
    ),
    Code(
        "option",
        JUJU,
        "error",
        "An option that Juju does not take",
        "`juju deploy` refuses the charm.",
        "Give it one of Juju's types, and a default of that type.",
    ),
    Code(
        "endpoint",
        JUJU,
        "error",
        "An endpoint that Juju does not take",
        "`juju deploy` refuses the charm.",
        "Write `interface: ...` below it; `limit:` is a whole number, `optional:` true or false.",
    ),
    Code(
        "paas-key",
        JUJU,
        "error",
        "A key of paas-config.yaml that the charm does not know",
        "charmcraft packs it; the charm then fails, or does without what was meant.",
        "Rename it to the key that the message suggests, or remove it.",
    ),
    _p(
        "rockcraft-yaml",
        "error",
        "A rockcraft.yaml from which no rock can be made",
        "The application's image is made from it.",
        "Do what the message says; `nuages init` writes a whole one.",
    ),
    _p(
        "rock-key",
        "warning",
        "A key that rockcraft.yaml does not have",
        "rockcraft refuses the file. Most often it is a slip of the pen, and what was meant is missing.",
        "Rename it to the key that the message suggests, or remove it.",
    ),
    _p(
        "no-manage-py",
        "error",
        "No manage.py where the rock looks for it",
        "The folder with manage.py becomes /django/app; without it there is no application.",
        "Put it into the folder that the message names.",
    ),
    _p(
        "no-wsgi",
        "error",
        "No WSGI module for the web server",
        "gunicorn is started with the module's `application`.",
        "Write the module, or give `services: django: command:` in rockcraft.yaml.",
    ),
    _p(
        "no-requirements",
        "error",
        "No list of the packages that the project imports",
        "The rock's Python environment is made from requirements.txt or pyproject.toml.",
        "Write requirements.txt; in a project with a lock alone, export it: `uv export -o requirements.txt`.",
    ),
    _p(
        "base-mismatch",
        "warning",
        "Charm and rock have different bases",
        "On Ubuntu 26.04 container and resource have other names than before, so that rock and charm of different "
        "bases may not fit together.",
        "Write the same `base:` in both files.",
    ),
    _p(
        "rock-name",
        "warning",
        "Charm and rock have different names",
        "`rockcraft pack` names the image after the rock, while everything else here goes by the charm's name: what is "
        "pushed as one is easily deployed as the other.",
        "Give both the same `name:`, or silence this where it is on purpose.",
    ),
    _p(
        "python-version",
        "error",
        "The base has an older Python than the project needs",
        "The rock runs the Python of its base: 3.10 on 22.04, 3.12 on 24.04. Packages that need a newer one cannot be "
        "installed there.",
        "Choose a newer base in rockcraft.yaml and charmcraft.yaml, or lower what the project needs.",
    ),
    _p(
        "no-database",
        "error",
        "A charm without an endpoint for a database",
        "Django needs a database, and the charm holds the application back until one is related: nobody could relate "
        "one. An interface of the charm's own counts when src/charm.py makes it with `database=True`.",
        "Declare an endpoint for PostgreSQL, MySQL or MongoDB.",
    ),
    _p(
        "database-version",
        "warning",
        "A Django that the database charms are too old for",
        "Django 6.1 needs PostgreSQL 15 or MySQL 8.4; the charms in general use bring PostgreSQL 14 and MySQL 8.0.",
        "Stay below Django 6.1, or deploy a charm with the newer server.",
    ),
    _p(
        "local-server",
        "note",
        "A server that is another one on this machine than in production",
        "What passes here may fail there, and the other way round. A note stops nothing and is no problem: `check` "
        "says it beside its report, as do `status` and [the page of the applications](../applications.md).",
        "There is nothing to mend. Run your tests on production's server too before you rely on what differs.",
    ),
    _p(
        "local-server-lacks",
        "warning",
        "Something that only production's server can do",
        "On this machine another server stands in for it, which refuses: the application fails here, and works there.",
        "Do without it, or silence this: then try it on Juju.",
    ),
    _p(
        "missing-driver",
        "warning",
        "A relation without the package that speaks to it",
        "The charm sets the variables; without the driver the application fails on first use, or at once.",
        "Add the package to the requirements.",
    ),
    _p(
        "optional-missing",
        "warning",
        "An endpoint that does not say whether it is optional",
        "Left out it means required: the application is held back until it is related.",
        "Write `optional: true` or `optional: false`.",
        fixable=True,
    ),
    _p(
        "unread-option",
        "warning",
        "An option that no setting reads",
        "The charm hands it over as a variable, and nothing in the project names that variable.",
        "Read it in the settings, or remove the option.",
    ),
    _p(
        "worker-command",
        "error",
        "A service whose command is not there",
        "Pebble would start it, fail, and try again for ever.",
        "Correct the command, or add the package or management command that it needs.",
    ),
    _p(
        "missing-program",
        "error",
        "A service whose program nothing brings into the rock",
        "Pebble would not find it, and try again for ever. On this machine it may run all the same: the local rock "
        "borrows this machine's programs. A rock has the programs of its base, those of Python's packages, and what "
        "its parts stage. As a warning: no package of the requirements is known to bring it, but one may; "
        "`nuages check --evaluate` installs them and looks.",
        "Stage the package of Ubuntu that has it, in a part of rockcraft.yaml, or add the package of Python.",
    ),
    _p(
        "celery-app",
        "error",
        "A worker that finds no Celery application",
        "`celery -A NAME` takes `app` or `celery` of the module NAME, any Celery application in it, or what is in "
        "NAME.celery. Without one the worker ends at once, and is started again for ever.",
        "Name the module in which the application is made, or import it in the package: "
        "`from .celery import app as celery_app`.",
    ),
    _p(
        "service-override",
        "error",
        "A service that does not say `override:`",
        "rockcraft refuses the file. (The local rock would take it for `replace`; services that the extension itself "
        "makes, django and statsd-exporter, have it already.)",
        "Write `override: replace`.",
        fixable=True,
    ),
    _p(
        "two-beats",
        "warning",
        "A scheduler that runs once per unit",
        "Services whose names end in -worker run in every unit: each unit would start every periodic task.",
        "Name the service with -scheduler at the end: it runs in one unit alone.",
    ),
    _p(
        "migrate-script",
        "warning",
        "A migration script that is not what runs",
        "The first of migrate, migrate.sh, migrate.py and manage.py beside manage.py runs, nothing else, and "
        "`migrate` must be executable. Under paas-charm, the runtime that charmcraft packs, the last of them runs: "
        "always manage.py.",
        "Keep one of them, where the message says.",
    ),
    _p(
        "shadowed-variable",
        "warning",
        "A variable of rockcraft.yaml that the charm sets too",
        "The charm's value wins; the one in rockcraft.yaml is never seen.",
        "Remove it from rockcraft.yaml.",
    ),
    _p(
        "hard-coded-key",
        "warning",
        "A secret key in the settings",
        "It is in version control, and the charm's own key is never used: rotating it changes nothing.",
        "Read DJANGO_SECRET_KEY.",
    ),
    _p(
        "hard-coded-debug",
        "warning",
        "Debug mode is switched on in the settings",
        "Errors show settings and code to every visitor, and option django-debug changes nothing.",
        "Read DJANGO_DEBUG (`true` or `false`).",
    ),
    _p(
        "hard-coded-hosts",
        "warning",
        "Hosts are fixed in the settings",
        "A request with the public host is answered with 400, and option django-allowed-hosts changes nothing; with "
        '`"*"` every host is believed.',
        "Read DJANGO_ALLOWED_HOSTS, a JSON list.",
    ),
    _p(
        "sqlite-only",
        "warning",
        "SQLite is the only database in the settings",
        "Units do not share it, and it is gone with the container. Migrations succeed and pages work until then.",
        "Read the variables of a related database: POSTGRESQL_DB_NAME and so on.",
    ),
    _p(
        "other-variable",
        "warning",
        "A setting comes from a variable that the charm does not set",
        "Its default is in force then: a public key, debug mode, a database on localhost.",
        "Read the charm's variables, or let `nuages init --settings` write a bridge: a settings module that hands the "
        "charm's values over under the project's own names.",
    ),
    _p(
        "other-format",
        "warning",
        "A variable of the charm is read in another format",
        "DJANGO_ALLOWED_HOSTS is a JSON list, DJANGO_DEBUG is `true` or `false`. Split at commas the list names no "
        "host, and every request is answered with 400.",
        'Write `json.loads(os.environ.get("DJANGO_ALLOWED_HOSTS", "[]"))` and `os.environ.get("DJANGO_DEBUG") == '
        '"true"`.',
    ),
    _p(
        "no-static-files",
        "warning",
        "Nothing serves the static files",
        "Django itself does not outside of debug mode, nor does gunicorn: pages come without styles.",
        "Add WhiteNoise to requirements and MIDDLEWARE, or a storage elsewhere.",
    ),
    _p(
        "parts-not-built",
        "warning",
        "A part that `nuages pack` does not build",
        "The charm packed here lacks what the part would bring; charmcraft builds it.",
        "Put the files into src/, lib/ or templates/, or silence this.",
    ),
    _p(
        "unused-ignore",
        "warning",
        "A comment that silences nothing",
        "The problem is gone, the code is misspelt, or the reason is missing: without one an ignore does not count.",
        "Remove it, or write `# nuages: ignore[CODE] reason`.",
        fixable=True,
    ),
    _e(
        "settings-fail",
        "error",
        "The settings cannot be imported as the charm would have it",
        "Web server, migrations and workers all import them first.",
        "Do what the message of the exception says; `nuages env` shows which variables there are.",
    ),
    _e(
        "hosts-refused",
        "error",
        "The public host is refused",
        "DJANGO_ALLOWED_HOSTS is a JSON list. Settings that read it in another format (split at commas, say) get a "
        "list of no host, and every request is answered with 400.",
        'Read it with `json.loads(os.environ["DJANGO_ALLOWED_HOSTS"])`.',
    ),
    _e(
        "debug-on",
        "error",
        "Debug mode is on though the charm says off",
        'Errors show settings and code to every visitor. Often it is a text taken for a truth: `bool("false")` is '
        "true.",
        'Compare: `os.environ.get("DJANGO_DEBUG", "false") == "true"`.',
    ),
    _e(
        "key-not-used",
        "error",
        "The charm's secret key is not the one in force",
        "The key in the project is public or differs between units, so that sessions end at each request; rotating "
        "the charm's key changes nothing.",
        "Read DJANGO_SECRET_KEY.",
    ),
    _e(
        "sqlite-in-force",
        "error",
        "SQLite is in force though a database is related",
        "Nothing fails until the container is replaced, and then the data is gone.",
        "Read the variables that the relation sets: POSTGRESQL_DB_NAME and so on.",
    ),
    _e(
        "database-not-used",
        "error",
        "The related database is not the one in force",
        "The settings name another server, database or user than the relation gives.",
        "Read the variables that the relation sets: POSTGRESQL_DB_NAME and so on.",
    ),
    _e(
        "static-manifest",
        "warning",
        "Pages need collectstatic to have run",
        "With a manifest storage every page that names a static file is 500 until collectstatic has run.",
        "Run it when the rock is built, or use a storage without a manifest.",
    ),
    _e(
        "https-redirect",
        "warning",
        "Every request is sent to https",
        "Behind an ingress without TLS that is a redirect for ever.",
        "Follow DJANGO_BASE_URL: redirect when it begins with https, and set SECURE_PROXY_SSL_HEADER.",
    ),
    _e(
        "secure-cookies",
        "warning",
        "Cookies for https alone on a site with http",
        "The browser never sends them back: no login lasts.",
        "Follow DJANGO_BASE_URL: secure when it begins with https.",
    ),
    _e(
        "writes-at-import",
        "warning",
        "The settings write files",
        "The application's folder is not writable for the user that serves it, and each unit has its own.",
        "Write below /tmp, log to stderr, or keep the data in what the application is related to.",
    ),
)

BY_NAME = {code.name: code for code in CODES}


def stops_expansion(code: str) -> bool:
    """Whether `expand-extensions` refuses a document with this problem: charmcraft does, or something would be lost."""
    found = BY_NAME.get(code)
    return found is None or found.by in (CHARMCRAFT, LOST)


def severity(code: str) -> str:
    """Return `error`, `warning` or `note`, which is no problem."""
    return BY_NAME[code].severity
