"""Where things are inside the workload container, as the rock and the charm agree on it."""

APP_DIRECTORY = "/django/app"
STATE_DIRECTORY = "/tmp/django/state"  # noqa: S108  the contract's own path inside the container
GUNICORN_CONFIG = "/django/gunicorn.conf.py"
TLS_DIRECTORY = "/django/tls"
"""Certificates of the authorities that integrations name."""
HOME_DIRECTORY = "/tmp/django/home"  # noqa: S108  inside the container, and the service's own
"""What services get as HOME unless the rock names another: `_daemon_` has none that it could write to."""
LOG_DIRECTORY = "/var/log/django"

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

PYTHON = "/bin/python3"
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

WEB_COMMAND = PYTHON + " -m gunicorn -c " + GUNICORN_CONFIG + " '{module}:application' -k [ {worker_class} ]"
"""The web service's command, to be formatted with the WSGI module and the default worker class."""

STATSD_COMMAND = (
    f"{STATSD_EXPORTER} --statsd.mapping-config={STATSD_MAPPING} --statsd.listen-udp={STATSD_HOST}"
    f" --statsd.listen-tcp={STATSD_HOST}"
)

MIGRATION_COMMANDS = (
    ("migrate", ("/django/app/migrate",)),
    ("migrate.sh", ("bash", "-eo", "pipefail", "migrate.sh")),
    ("migrate.py", ("python3", "migrate.py")),
    ("manage.py", ("python3", "manage.py", "migrate")),
)
"""(file in the application directory, command): the first file found decides."""

TRACING_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACING_MODULES = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter")
"""What the rock has to have for gunicorn to send spans."""

WEB_SERVER_VARIABLE = "PYTHONDONTWRITEBYTECODE"
"""Set for the web service's process alone; its configuration file removes it again for the application."""
