"""The tables agree with themselves, with charmcraft's facts, and stay cheap to import."""

import subprocess
import sys

import pytest

from nuages.contract import actions, bases, endpoints, layout, options

CLASSIC = [
    ("webserver-keepalive", "int", None),
    ("webserver-threads", "int", None),
    ("webserver-timeout", "int", None),
    ("webserver-workers", "int", None),
    ("webserver-worker-class", "string", None),
    ("django-debug", "boolean", False),
    ("django-secret-key", "string", None),
    ("django-secret-key-id", "secret", None),
    ("django-allowed-hosts", "string", None),
]


@pytest.mark.parametrize("name", ["ubuntu@22.04", "ubuntu@24.04"])
def test_options_of_the_classic_bases(name):
    base = bases.BY_NAME[name]
    assert [(option.name, option.type, option.default) for option in base.options] == CLASSIC
    assert (base.container, base.resource, base.peer) == ("django-app", "django-app-image", "secret-storage")


def test_options_of_the_modern_base():
    base = bases.BY_NAME["ubuntu@26.04"]
    names = [(option.name, option.type) for option in base.options]
    assert ("app-secret-key", "secret") in names
    assert not [name for name, _ in names if name.startswith("django-secret-key")]
    assert (base.container, base.resource, base.peer) == ("app", "app-image", "peers")
    assert base.experimental


@pytest.mark.parametrize("base", bases.BASES, ids=lambda base: base.name)
def test_every_option_goes_somewhere(base):
    for option in base.options:
        assert bool(option.variable) != bool(option.setting), option.name
        assert option.type in options.TYPES
        assert option.description.endswith((".", "APPLICATION"))
        assert not option.variable or option.variable in base.variables
    for name in (base.secret_key_option, base.secret_key_id_option):
        assert not name or name in [option.name for option in base.options]


def test_the_container_tells_the_base():
    for base in bases.BASES:
        assert bases.BY_CONTAINER[base.container].options == base.options


def test_variable_of():
    assert options.variable_of("some-long-name") == "DJANGO_SOME_LONG_NAME"


def test_endpoint_names_and_prefixes():
    by_endpoint = {interface.endpoint: interface for interface in endpoints.INTERFACES if interface.endpoint}
    assert len(by_endpoint) == len(endpoints.INTERFACES) - 1
    assert {name for name, interface in by_endpoint.items() if interface.database} == {"postgresql", "mysql", "mongodb"}
    assert endpoints.prefix_of(endpoints.POSTGRESQL, "postgresql") == "POSTGRESQL_DB"
    assert endpoints.prefix_of(endpoints.POSTGRESQL, "read-replica") == "READ_REPLICA_DB"


@pytest.mark.parametrize(
    ("base", "folder", "config"),
    [
        ("ubuntu@22.04", "/django/app", "/django/gunicorn.conf.py"),
        ("ubuntu@24.04", "/django/app", "/django/gunicorn.conf.py"),
        ("ubuntu@26.04", "/app", "/var/lib/gunicorn/gunicorn.conf.py"),
    ],
)
def test_where_things_are(base, folder, config):
    places = bases.BY_NAME[base].layout
    assert places.app == folder
    assert places.web_command("notes.wsgi", "sync") == (
        f"/bin/python3 -m gunicorn -c {config} 'notes.wsgi:application' -k [ sync ]"
    )
    assert places.candidate.startswith(config.removesuffix("gunicorn.conf.py"))
    assert [places.migration_command(name)[-1] for name in layout.MIGRATIONS] == [
        f"{folder}/migrate", "migrate.sh", "migrate.py", "migrate",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "served"),
    [
        (layout.CLASSIC.web_command("notes.wsgi", "sync"), "notes.wsgi:application"),
        ("/bin/python3 -m gunicorn -c /django/gunicorn.conf.py config.asgi:app -k [ asgi ]", "config.asgi:app"),
        ("gunicorn --bind 0.0.0.0:8000 -b localhost:8000 'notes.wsgi:make(1)'", "notes.wsgi:make(1)"),
        ("python3 serve.py", ""),
        ("gunicorn 'notes.wsgi:application", ""),
    ],
)
def test_what_a_command_serves(command, served):
    assert layout.served(command) == served


def test_actions():
    assert [action.name for action in actions.ACTIONS] == ["rotate-secret-key", "create-superuser"]
    parameters = actions.CREATE_SUPERUSER.parameters
    assert [(parameter.name, parameter.required) for parameter in parameters] == [("username", True), ("email", True)]


def test_importing_the_contract_imports_nothing_else():
    modules = "bases, endpoints, layout, actions, options"
    code = (
        f"import sys; before = set(sys.modules); from nuages.contract import {modules};"
        "print(*sorted(n for n in set(sys.modules) - before if not n.startswith('nuages')))"
    )
    done = subprocess.run([sys.executable, "-c", "import typing\n" + code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
