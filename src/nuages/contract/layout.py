"""Where things are inside the workload container, as the rock and the charm agree on it."""

import re

from nuages.contract.row import NamedTuple

PYTHON = "/bin/python3"


class Layout(NamedTuple):
    """What depends on the base. Facts from Canonical's guide on moving rocks and charms to Ubuntu 26.04."""

    app: str
    """The application's folder, with manage.py in it."""
    gunicorn: str
    """The folder of gunicorn's configuration file."""
    logs: str
    data: str = ""
    """A folder that the application may write to; "" when the base has none."""
    separator: str = "/"
    """Between the extension's name and a part's in rockcraft.yaml."""

    @property
    def gunicorn_config(self) -> str:
        """Where its configuration file is."""
        return self.gunicorn + "/gunicorn.conf.py"

    @property
    def candidate(self) -> str:
        """The next configuration file, until the application was loaded under it."""
        return self.gunicorn + "/gunicorn.conf.next.py"

    def web_command(self, module: str, worker_class: str) -> str:
        """Return the web service's command for a WSGI module and the default worker class."""
        return f"{PYTHON} -m gunicorn -c {self.gunicorn_config} '{module}:application' -k [ {worker_class} ]"

    def migration_command(self, file: str) -> tuple[str, ...]:
        """Return what runs when `file`, one of MIGRATIONS, is the first that is there."""
        return {
            "migrate": (f"{self.app}/migrate",),
            "migrate.sh": ("bash", "-eo", "pipefail", "migrate.sh"),
            "migrate.py": ("python3", "migrate.py"),
            "manage.py": ("python3", "manage.py", "migrate"),
        }[file]


def served(command: str) -> str:
    """Return the application that a web service's command names, `notes.wsgi:application`; "" when it names none."""
    import shlex  # only here: the contract costs the charm nothing that it does not use

    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    return next((word for word in words if _APPLICATION.fullmatch(word)), "")


_APPLICATION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(.*\))?")

CLASSIC = Layout("/django/app", "/django", "/var/log/django")
MODERN = Layout("/app", "/var/lib/gunicorn", "/var/log/app", "/app-data", ".")

MIGRATIONS = ("migrate", "migrate.sh", "migrate.py", "manage.py")
"""Files in the application's folder: the first that is there decides how its database is migrated."""

STATE_DIRECTORY = "/tmp/django/state"  # noqa: S108  the contract's own path inside the container
TLS_DIRECTORY = "/django/tls"
"""Certificates of the authorities that integrations name."""
HOME_DIRECTORY = "/tmp/django/home"  # noqa: S108  inside the container, and the service's own
"""What services get as HOME unless the rock names another: `_daemon_` has none that it could write to."""

WEB_SERVICE = "django"
STATSD_SERVICE = "statsd-exporter"
WORKER_SUFFIX = "-worker"
SCHEDULER_SUFFIX = "-scheduler"
"""Services whose names end so, in any case, get the application's environment."""

USER = "_daemon_"
UID = 584792

WEB_PORT = 8000
METRICS_PORT = 9102
METRICS_PATH = "/metrics"
STATSD_HOST = "localhost:9125"

STATSD_EXPORTER = "/bin/statsd_exporter"
STATSD_MAPPING = "/statsd-mapping.conf"
ROCK_METADATA = "/.rock/metadata.yaml"
LAYERS_DIRECTORY = "/var/lib/pebble/default/layers"

PAAS_CONFIG = "paas-config.json"
COS_CUSTOM = "cos_custom.json"
"""In a packed charm, beside its metadata: paas-config.yaml and what is below cos_custom/, parsed when it was packed."""

WORKER_CLASSES = ("sync", "gevent", "gthread", "asgi")
"""What may stand behind gunicorn's `-k`; the first is the default. The contract has the first two."""

UVICORN_WORKER = "uvicorn_worker.UvicornWorker"
"""What serves ASGI where gunicorn has no worker of its own for it."""

STATSD_COMMAND = (
    f"{STATSD_EXPORTER} --statsd.mapping-config={STATSD_MAPPING} --statsd.listen-udp={STATSD_HOST}"
    f" --statsd.listen-tcp={STATSD_HOST}"
)

TRACING_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACING_MODULES = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter")
"""What the rock has to have for gunicorn to send spans."""

WEB_SERVER_VARIABLE = "PYTHONDONTWRITEBYTECODE"
"""Set for the web service's process alone; its configuration file removes it again for the application."""
