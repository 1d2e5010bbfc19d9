"""Processes beside the web server, relations, and what the pages need."""

# ruff: noqa: E501 -- a whole file on one line reads best beside what it gives

import pytest

from nuages.extension.django import Folder
from tests.extension.django.trees import codes, found, project, remark

CELERY = 'from celery import Celery\napp = Celery("x")\n'
ENDLESS = (
    "class Command(BaseCommand):\n    def handle(self, *args, **options):\n        while True:\n            step()\n"
)


def services(text="", **more):
    return {service.name: service.command for service in found(project(text, **more)).services}


def test_nothing():
    assert services() == {}


def test_celery_without_a_word_about_how_it_is_run():
    assert services(**{"site_one/celery.py": CELERY}) == {
        "celery-worker": "/bin/python3 -m celery -A site_one.celery worker --loglevel INFO"
    }


def test_celery_as_the_procfile_runs_it_and_beat_apart():
    procfile = (
        "worker: celery -A site_one worker -B -Q high,low --concurrency 2\nslow: celery -A site_one worker -Q slow\n"
    )
    assert services(**{"site_one/celery.py": CELERY, "Procfile": procfile}) == {
        "celery-worker": "/bin/python3 -m celery -A site_one.celery worker -Q high,low --concurrency 2",
        "slow-worker": "/bin/python3 -m celery -A site_one.celery worker -Q slow",
        "celery-beat-scheduler": "/bin/python3 -m celery -A site_one.celery beat --loglevel INFO --schedule /tmp/celerybeat-schedule",
    }


def test_celery_as_compose_runs_it():
    compose = "services:\n  jobs:\n    command: [celery, -A, site_one, worker, -l, INFO]\n"
    commands = services(**{"site_one/celery.py": CELERY, "docker-compose.yml": compose})
    assert commands["celery-worker"].endswith(" worker -l INFO")


@pytest.mark.parametrize(
    ("text", "more", "option"),
    [
        ("CELERY_BEAT_SCHEDULE = {}\n", {}, "--schedule"),
        ('INSTALLED_APPS = ["django_celery_beat"]\n', {}, "DatabaseScheduler"),
        ("", {"site_one/celery.py": CELERY + "app.conf.beat_schedule = {}\n"}, "--schedule"),
    ],
)
def test_signs_of_beat(text, more, option):
    commands = services(text, **{"site_one/celery.py": CELERY, **more})
    assert option in commands["celery-beat-scheduler"]


@pytest.mark.parametrize(
    ("app", "name", "command"),
    [
        ("django_rq", "rq-worker", "rqworker default"),
        ("huey.contrib.djhuey", "huey-worker", "run_huey"),
        ("django_dramatiq", "dramatiq-worker", "rundramatiq"),
        ("django_q", "django-q-worker", "qcluster"),
        ("django_tasks_db", "tasks-worker", "db_worker"),
    ],
)
def test_other_queues(app, name, command):
    assert services(f'INSTALLED_APPS = ["{app}"]\n') == {name: f"/bin/python3 manage.py {command}"}


def test_queues_of_rq():
    assert services('INSTALLED_APPS = ["django_rq"]\nRQ_QUEUES = {"high": {}, "low": {}}\n')["rq-worker"].endswith(
        " high low"
    )


def test_commands_that_never_end():
    path = "site_one/management/commands/"
    commands = services(**{f"{path}consume.py": ENDLESS, f"{path}tick.py": ENDLESS, f"{path}__init__.py": ""})
    assert commands == {
        "consume-worker": "/bin/python3 manage.py consume",
        "tick-scheduler": "/bin/python3 manage.py tick",
    }


@pytest.mark.parametrize(
    "text", [ENDLESS.replace("step()", "break"), ENDLESS.replace("True", "self.more()"), "x = 1\n", "def ("]
)
def test_commands_that_end(text):
    assert services(**{"site_one/management/commands/tick.py": text}) == {}


@pytest.mark.parametrize(
    ("text", "more", "interface", "place"),
    [
        ("", {}, "postgresql_client", "requirements.txt:2"),
        (
            'DATABASES = {"default": {"ENGINE": "django.db.backends.mysql"}}\n',
            {},
            "mysql_client",
            "site_one/settings.py:3",
        ),
        ('X = os.environ["MYSQL_DB_NAME"]\n', {}, "mysql_client", "site_one/settings.py:3"),
        ('DATABASES = {"default": env.db("U", default="mysql://x")}\n', {}, "mysql_client", "site_one/settings.py:3"),
        ("", {"requirements.txt": "Django\npymysql\n"}, "mysql_client", "requirements.txt:2"),
        ("", {"requirements.txt": "Django\ndjango-mongodb-backend\n"}, "mongodb_client", "requirements.txt:2"),
        ("", {"requirements.txt": "Django\n"}, "postgresql_client", "requirements.txt"),
    ],
)
def test_the_database(text, more, interface, place):
    first = found(project(text, **more)).integrations[0]
    assert (first.interface, first.optional, str(first.place)) == (interface, False, place)


@pytest.mark.parametrize(
    ("text", "more", "interface"),
    [
        ('CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}\n', {}, "redis"),
        ("", {"requirements.txt": "Django\ncelery[redis]\n"}, "redis"),
        ("", {"compose.yaml": "services:\n  r:\n    image: redis:7\n"}, "redis"),
        ('X = os.getenv("BROKER", "amqp://x")\n', {}, "rabbitmq"),
        ('STORAGES = {"default": {"BACKEND": "storages.backends.s3.S3Storage"}}\n', {}, "s3"),
        ('EMAIL_HOST = "x"\n', {}, "smtp"),
        ("", {"requirements.txt": "Django\ndjangosaml2\n"}, "saml"),
        ("", {"requirements.txt": "Django\nopentelemetry-instrumentation-django\n"}, "tracing"),
    ],
)
def test_other_relations_may_be_absent(text, more, interface):
    others = found(project(text, **more)).integrations[1:]
    assert [(item.interface, item.optional) for item in others] == [(interface, True)]


def test_packages_that_are_missing():
    packages = [choice.value for choice in found(project(**{"requirements.txt": "Django\n"})).packages]
    assert packages == ["psycopg[binary]", "whitenoise"]
    assert found(project()).packages == ()


def test_build_steps_and_hints():
    more = {
        "package.json": '{"scripts": {"build": "vite"}}', "locale/de/LC_MESSAGES/django.po": "",
        "Procfile": "web: gunicorn -c own.py site_one.wsgi\nrelease: ./manage.py migrate\n",
    }  # fmt: skip
    findings = found(project(**more))
    assert [step.value for step in findings.static.steps] == ["npm", "compilemessages"]
    assert [hint.code for hint in findings.hints] == ["process", "process", "gunicorn-config"]
    assert "build-step" in codes(findings, "decide")


def test_no_requirements_at_all():
    files = project()
    del files["requirements.txt"]
    assert remark(found(files), "requirements").kind == "missing"
    assert remark(found({**files, "requirements.txt": "flask\n"}), "django").kind == "missing"


def test_a_folder_reads_what_is_the_project_s_and_nothing_else(tmp_path):
    for name in (
        "manage.py",
        "site/a.py",
        ".git/b.py",
        "env/pyvenv.cfg",
        "env/lib/c.py",
        "charm/charmcraft.yaml",
        "charm/d.py",
        "node_modules/e.py",
        ".gitignore",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "site" / "up").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "site")
    (tmp_path / "large.py").write_bytes(b"x" * 600_000)
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe")
    tree = Folder(tmp_path)
    assert tree.names == (".gitignore", "binary.py", "large.py", "linked/a.py", "manage.py", "site/a.py")
    assert (tree.text("site/a.py"), tree.text("large.py"), tree.text("binary.py"), tree.text("gone")) == (
        "site/a.py",
        "",
        "",
        "",
    )


@pytest.mark.parametrize("text", ["services: [\n", "- a\n", "services: {a: b}\n", ""])
def test_any_compose_file(text):
    assert found(project(**{"compose.yml": text})).services == ()
