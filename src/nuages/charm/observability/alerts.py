"""The built-in alert rules, in the names that statsd_exporter gives gunicorn's metrics by the rock's mapping.

The exporter computes the 50th, 90th and 99th percentile of the duration of requests, over ten minutes; the 95th it
does not know. A 90th above the limit means a 95th above it.

A counter begins to exist with its first event, and `increase` does not see a first value: hence `unless … offset`.
"""

FILE = "django.rule"

_T = "%%juju_topology%%"
_APP = "juju_model, juju_model_uuid, juju_application"
_UNIT = f"{_APP}, juju_unit"


def _new(metric: str, window: str) -> str:
    """Return the expression for "it happened within the window"."""
    series = f"{metric}{{{_T}}}"
    return f"increase({series}[{window}]) > 0 or ({series} unless {series} offset {window})"


def _rule(  # noqa: PLR0917  one call is one row of the table
    name: str, expr: str, wait: str, severity: str, summary: str, description: str
) -> dict[str, object]:
    return {
        "alert": name,
        "expr": expr,
        "for": wait,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description},
    }


ALERTS: tuple[dict[str, object], ...] = (
    _rule(
        "DjangoTargetMissing",
        f"up{{{_T}}} == 0",
        "2m",
        "critical",
        "No metrics from {{ $labels.juju_unit }}",
        "Prometheus cannot scrape {{ $labels.juju_unit }} in model {{ $labels.juju_model }}: its pod or its exporter "
        "is down. `juju status` says what the unit waits for.",
    ),
    _rule(
        "DjangoServerErrors",
        f'sum by ({_APP}) (rate(django_response_code{{{_T}, status=~"5.."}}[5m]))'
        f" / sum by ({_APP}) (rate(django_requests{{{_T}}}[5m])) > 0.05",
        "5m",
        "critical",
        "{{ $value | humanizePercentage }} of the responses of {{ $labels.juju_application }} are server errors",
        "More than 5 % of the responses have had a status of 500 or above for five minutes. The tracebacks are in the "
        "container's log.",
    ),
    _rule(
        "DjangoSlowRequests",
        f'max by ({_UNIT}) (django_request_duration{{{_T}, quantile="0.9"}}) > 1',
        "10m",
        "warning",
        "Requests to {{ $labels.juju_unit }} are slow",
        "One request in ten takes longer than {{ $value | humanizeDuration }}, so the 95th percentile is above one "
        "second too. More workers (`webserver-workers`) help when they are busy, units when the machine is.",
    ),
    _rule(
        "DjangoRestarts",
        f"changes(process_start_time_seconds{{{_T}}}[15m]) > 2",
        "0m",
        "warning",
        "{{ $labels.juju_unit }} keeps restarting",
        "The container of {{ $labels.juju_unit }} was started {{ $value }} times within 15 minutes.",
    ),
    _rule(
        "DjangoWorkerTimeouts",
        _new("gunicorn_log_critical", "15m"),
        "0m",
        "warning",
        "Workers of {{ $labels.juju_unit }} are killed because they hang",
        "A worker process gave no sign of life for as long as `webserver-timeout` says, and was replaced; its request "
        "was lost.",
    ),
    _rule(
        "DjangoWorkerDeaths",
        _new("gunicorn_log_error", "15m"),
        "0m",
        "warning",
        "Workers of {{ $labels.juju_unit }} die",
        "gunicorn reports errors of its own: mostly a worker process that was killed for want of memory, or that ended "
        "with an error. The reason is in the container's log.",
    ),
)

RULES: dict[str, object] = {"groups": [{"name": "django", "rules": list(ALERTS)}]}
