"""The result of an action or a command, in the shape of `juju run --format json`. Pure."""

from typing import Any

from nuages.cli.errors import CliError


def task_document(change: dict[str, Any], unit: str) -> tuple[str, dict[str, Any]]:
    """Return the unit's name (never `app/leader`) and its task, from a finished change of `run` or `exec`."""
    result: dict[str, Any] = change.get("result") or {}
    tasks: list[dict[str, Any]] = change.get("tasks") or []
    results: dict[str, Any] = dict(result.get("results") or {})
    for key in ("return-code", "stdout", "stderr"):
        if key in result:
            results[key] = result[key]
    results.setdefault("return-code", 0)
    for key in ("stdout", "stderr"):
        if not results.get(key, True):
            del results[key]
    name = str(result.get("unit") or unit)
    document: dict[str, Any] = {
        "id": str(change["id"]),
        "results": results,
        "status": result.get("status") or ("completed" if results["return-code"] == 0 else "failed"),
        "timing": {
            "enqueued": change.get("spawn-time"),
            "started": change.get("spawn-time"),
            "completed": change.get("ready-time"),
        },
        "unit": name,
    }
    if result.get("message"):
        document["message"] = result["message"]
    log = result.get("log") or [line for task in tasks for line in task.get("log") or ()]
    if log:
        document["log"] = [str(line) for line in log]
    return name, document


def fail_unless_completed(document: dict[str, Any]) -> None:
    """Raise `CliError` in Juju's words for a task that failed."""
    code = document["results"].get("return-code", 0)
    if document["status"] == "completed" and code == 0:
        return
    message = document.get("message") or f"return code {code}"
    raise CliError(
        f'the following task failed:\n - id "{document["id"]}" on {document["unit"]}: {message}', code="task-failed"
    )
