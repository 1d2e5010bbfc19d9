"""What `up` says at its end. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from nuages.cli.up.plan import Project


def success_lines(
    project: Project, status: dict[str, Any], *, url: str, command: str, place: str, notes: tuple[str, ...]
) -> list[str]:
    """Return the last lines: the URL, what was made, how to go on; `place` is what `up` was called with."""
    name = project.application
    words = [
        ("superuser", f"{command} run {name}/0 create-superuser username=admin email=admin@example.com"),
        ("output, tracebacks", f"{command} logs {name} -f"),
        ("what the charm does", f"{command} debug-log"),
        ("the environment", f"{command} env {name} --explain"),
        ("a shell", f"{command} ssh --container {container(project)} {name}/0"),
        ("edit a file, then", " ".join(part for part in (command, "up", place) if part)),
        ("stop; data stays", " ".join(part for part in (command, "down", place) if part)),
    ]
    width = max(len(label) for label, _ in words)
    return [
        f"{name} is running: {url}",
        "",
        "  " + ", ".join(_made(status)),
        *(f"  note: {text}" for text in notes),
        "",
        *(f"  {label.ljust(width)}  {text}" for label, text in words),
    ]


def nothing_to_do_lines(project: Project, *, url: str) -> list[str]:
    """Return what is said when the model is already the project's."""
    return [f"{project.application} is running: {url}", "nothing to do: the model is what the project says"]


def port_line(wanted: int, url: str, command: str, models: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the loud line for a port that was taken, None when the wanted one serves.

    A model keeps its ports while it is stopped, so `models` are all of them as the API lists them.
    """
    port = int(url.rstrip("/").rpartition(":")[2])
    if port == wanted:
        return None
    holder = next((entry for entry in models if wanted in (entry.get("ports") or ())), None)
    if holder is not None:
        reason = f"IS TAKEN by the model {holder['name']}" + ("" if holder["running"] else ", which is stopped")
    else:
        reason = "IS TAKEN by another program" if wanted >= 1024 else "IS TAKEN, or only root may use it"
    return f"PORT {wanted} {reason}: this project is at port {port} from now on ({command} up --port N)"


def container(project: Project) -> str:
    """Return the workload container that runs the image: the resource's name without `-image`."""
    image = next(iter(project.images), "django-app-image")
    return image.removesuffix("-image")


def _made(status: dict[str, Any]) -> list[str]:
    made: list[str] = []
    for name, application in sorted(status["applications"].items()):
        version = application.get("version") or ""
        units = len(application.get("units") or {})
        text = f"{name} {version}".strip()
        made.append(text + (f" ({units} units)" if units > 1 else ""))
    return made
