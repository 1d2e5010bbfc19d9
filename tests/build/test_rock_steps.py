"""Commands in the scripts of parts: which are run here, and what is said of the others."""

import pytest

from nuages.build.rock_steps import Step, commands, read_parts
from nuages.contract.layout import CLASSIC
from nuages.extension.load import load

APP = "/django/app"
STATIC = ("collectstatic", "--noinput")


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("craftctl default\n", []),
        ("python3 manage.py collectstatic --noinput\n", [Step("p", STATIC)]),
        ("craftctl default && cd $CRAFT_PRIME/x && python manage.py collectstatic --noinput", [Step("p", STATIC)]),
        (
            "set -eux\ncd ${CRAFT_PRIME}/django/app\n"
            "PYTHONPATH=$CRAFT_PRIME/lib DJANGO_SECRET_KEY='a b' ${CRAFT_PRIME}/bin/python3.12 manage.py \\\n"
            "    collectstatic --noinput\n",
            [Step("p", STATIC, {"DJANGO_SECRET_KEY": "a b"})],
        ),
        (
            "export SECRET_KEY=x\nDEBUG=1\ncd $CRAFT_PRIME/django/app/site\npython3 -m django compilemessages -l de",
            [Step("p", ("compilemessages", "-l", "de"), {"SECRET_KEY": "x", "DEBUG": "1"}, APP + "/site")],
        ),
        (
            "cd $CRAFT_STAGE/django/app\npython3 manage.py collectstatic --noinput\n"
            "mkdir -p $CRAFT_PART_INSTALL/django/app\ncp -r static $CRAFT_PART_INSTALL/django/app/\n",
            [Step("p", STATIC)],
        ),
        ("django-admin compilemessages", [Step("p", ("compilemessages",))]),
        ("cp -r assets $CRAFT_PART_INSTALL/x", ["cp -r assets $CRAFT_PART_INSTALL/x"]),
        ("npm ci && npm run build", ["npm ci", "npm run build"]),
        ("python3 manage.py migrate", ["python3 manage.py migrate"]),
        ("python3 make.py collectstatic", ["python3 make.py collectstatic"]),
        ("for x in a b; do\n  echo hello\ndone", ["for x in a b; do", "done"]),
        ("python3 manage.py collectstatic | tee log", ["python3 manage.py collectstatic | tee log"]),
        ("cat <<'END'\nunclosed ' quote", ["cat <<'END'", "unclosed ' quote"]),
        ("rm -f pyproject.toml", []),
        ("# a comment only\n\n", []),
    ],
)  # fmt: skip
def test_commands(script, found):
    assert list(commands("p", script, app="/django/app")) == found


def parts(text):
    return read_parts(load("name: a\nparts:\n" + text, "rockcraft.yaml"), CLASSIC)


def test_what_parts_say():
    found = parts(
        "  django-framework/dependencies: {stage-packages: [libpq5, gettext_bins]}\n"
        "  static:\n    plugin: nil\n    after: [django-framework/install-app]\n"
        "    stage-packages: [libpq5]\n"
        "    override-prime: |\n      craftctl default\n      python3 manage.py collectstatic --noinput\n"
        "  frontend: {plugin: npm, source: web}\n"
        "  other:\n    plugin: nil\n    override-build: |\n      make a\n      make b\n      make c\n      make d\n"
        "  empty:\n"
    )
    assert found.steps == (Step("static", STATIC),)
    assert found.packages == ("libpq5", "gettext")
    assert found.notes == (
        "part frontend is not built here; rockcraft builds it",
        "part other: `make a`, `make b`, `make c` and 1 more are not run here; rockcraft does",
    )


def test_the_variables_of_the_build_step():
    found = parts(
        "  static:\n    plugin: nil\n    build-environment: [DJANGO_SECRET_KEY: none, PATH: /x]\n"
        "    override-build: DEBUG=1 python3 manage.py collectstatic --noinput\n"
        "    override-prime: python3 manage.py compilemessages\n"
    )
    assert found.steps == (
        Step("static", STATIC, {"DJANGO_SECRET_KEY": "none", "DEBUG": "1"}),
        Step("static", ("compilemessages",)),
    )


@pytest.mark.parametrize("text", ["  a: 1\n", "  a: {stage-packages: 1, override-build: [x]}\n", "  a: [x]\n"])
def test_a_part_of_another_shape_is_rockcrafts_to_refuse(text):
    assert parts(text) == parts("  b: {plugin: nil}\n")
