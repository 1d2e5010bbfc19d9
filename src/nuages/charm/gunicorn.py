"""gunicorn's configuration file and command line.

The file also carries the application's environment. gunicorn reads it anew at SIGHUP, in its master process, so a
changed variable reaches the workers by a graceful reload. `raw_env` would strip values and bring a removed variable
back with the value it had when the process was started; hence the file does it itself.
"""

import re
import zlib
from collections.abc import Mapping

from nuages.contract import layout
from nuages.contract.row import NamedTuple

RUN_DIRECTORY = layout.STATE_DIRECTORY + "/run"
"""Belongs to the service's user, who writes markers and outcomes there."""

APPLIED = layout.STATE_DIRECTORY + "/gunicorn.conf.py"
"""A copy of the configuration that is in force, written when it is: a hook that was killed half-way finds out by it."""

GRACE = 30
"""gunicorn's default `graceful_timeout`, in seconds."""


_TEMPLATE = '''\
"""Written by the charm, which writes it anew when the configuration changes: what is changed here does not last."""

import os
{imports}
_ENVIRONMENT = {{
{environment}}}
_CONTAINER = {{
{container}}}
_KEPT = ("HOME", "USER", "LOGNAME", "LC_CTYPE", "SERVER_SOFTWARE", "NOTIFY_SOCKET", "WATCHDOG_USEC")


def _set_environment():
    wanted = {{key: text for key, text in _CONTAINER.items() if key not in _KEPT}}
    wanted.update(_ENVIRONMENT)
    for key in list(os.environ):
        if not (key in wanted or key in _KEPT or key.startswith(("GUNICORN_", "LISTEN_"))):
            del os.environ[key]
    os.environ.update(wanted)


_set_environment()

bind = [{bind!r}]
chdir = {directory!r}
accesslog = "-"
errorlog = "-"
access_log_format = (
    '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'
    ' "%({{x-forwarded-host}}i)s" "%({{x-request-id}}{identifier})s"'
)
control_socket_disable = True
{more}{settings}

def post_worker_init(worker):
    """Tell the charm when all workers of this configuration have loaded the application."""
    try:
        with open({marker!r} + ".part", "a") as part:
            part.write(".")
            part.flush()
            complete = part.tell() >= worker.cfg.workers
        if complete:
            with open({marker!r}, "w"):
                pass
    except OSError:
        pass  # the charm then waits for an answer only
'''

_LOGGER = "gunicorn.glogging import Logger"
_STATSD_LOGGER = "gunicorn.instrument.statsd import Statsd as Logger"
"""What gunicorn itself takes when `statsd_host` is set and nothing else is asked for."""

_JSON_IMPORTS = """\
import datetime
import json
import logging
"""

_JSON = '''

from {logger}  # noqa: E402


class JsonFormatter(logging.Formatter):
    """A line of JSON for each record; of a request its parts, too."""

    def format(self, record):
        moment = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        entry = {{
            "timestamp": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        if record.name == "gunicorn.access" and isinstance(record.args, dict):
            names = {{
                "remote": "h",
                "method": "m",
                "path": "U",
                "query": "q",
                "status": "s",
                "bytes": "b",
                "seconds": "L",
                "referer": "f",
                "user_agent": "a",
                "forwarded_host": "{{x-forwarded-host}}i",
                "request_id": "{{x-request-id}}i",
            }}
            entry.update((name, record.args[key]) for name, key in names.items())
        return json.dumps(entry, default=str)


class JsonLogger(Logger):
    """gunicorn's own logger with other words."""

    def setup(self, cfg):
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(JsonFormatter())


'''

_TRACING = '''

def post_fork(server, worker):
    """Send this worker's spans to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names."""
    if hasattr(worker, "patch"):
        worker.patch()  # gevent has to come before the first thread
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


'''


class Config(NamedTuple):
    """A configuration file."""

    text: str
    marker: str
    """The file that the last worker to load this configuration makes; its name differs for each configuration."""


def config(
    environment: Mapping[str, str],
    container: Mapping[str, str],
    webserver: Mapping[str, int],
    *,
    statsd: bool,
    port: int = layout.WEB_PORT,
    tracing: bool = False,
    json_logs: bool = False,
    directory: str = layout.CLASSIC.app,
) -> Config:
    """Return the configuration file. `container` are the variables of the container itself.

    With `statsd` and `json_logs` a change would need a restart; they depend on the rock and on the charm alone, which
    a running container keeps.
    """
    settings = dict(webserver)
    if settings.get("timeout", 0) > GRACE:
        settings["graceful_timeout"] = settings["timeout"]
    lines = [f"{name} = {value}" for name, value in sorted(settings.items())]
    if statsd:
        lines.insert(0, f"statsd_host = {layout.STATSD_HOST!r}")
    if json_logs:
        lines.append("logger_class = JsonLogger")
    fields = {
        "environment": _items(environment),
        "container": _items(container),
        "bind": f"0.0.0.0:{port}",
        "imports": _JSON_IMPORTS if json_logs else "",
        "identifier": "o" if tracing else "i",
        "more": (_JSON.format(logger=_STATSD_LOGGER if statsd else _LOGGER) if json_logs else "")
        + (_TRACING if tracing else ""),
        "directory": directory,
        "settings": "".join(line + "\n" for line in lines),
    }
    digest = zlib.crc32(repr(fields).encode())
    marker = f"{RUN_DIRECTORY}/loaded-{digest:08x}"
    return Config(_TEMPLATE.format(**fields, marker=marker), marker)


def _items(mapping: Mapping[str, str]) -> str:
    return "".join(f"    {name!r}: {mapping[name]!r},\n" for name in sorted(mapping))


def markers(text: str) -> tuple[str, ...]:
    """Return the files that the workers of a configuration make."""
    name = marker_of(text)
    return (name, name + ".part") if name else ()


def marker_of(text: str) -> str:
    """Return the marker that a configuration file names; "" when it names none."""
    found = re.search(rf"{re.escape(RUN_DIRECTORY)}/loaded-[0-9a-f]{{8}}", text)
    return found.group() if found else ""


application = layout.served
"""What the web service's command serves."""


def preloads(command: str, environment: Mapping[str, str]) -> bool:
    """Whether gunicorn loads the application once, before its workers: then a reload would not load it anew."""
    return any("--preload" in text.split() for text in (command, environment.get("GUNICORN_CMD_ARGS", "")))


def kill_delay(webserver: Mapping[str, int]) -> str:
    """Return how long Pebble waits for the web service to end: a little longer than gunicorn for its workers."""
    return f"{max(GRACE, webserver.get('timeout', 0)) + 5}s"
