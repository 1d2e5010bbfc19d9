"""Asking a charm for the variables that its own class adds, with the code that is packed: run in the sandbox, once."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from nuages.build import confined
from nuages.build.environment import Environment
from nuages.build.files import make_readable
from nuages.build.pack import pack
from nuages.build.probe_variables import Asked
from nuages.contract.bases import BASES
from nuages.contract.endpoints import BY_NAME
from nuages.engine.sandbox import process
from nuages.extension.load import Document
from nuages.extension.project import Project

TIMEOUT = 60.0
"""Seconds: it imports ops and the charm."""

_ADDS = re.compile(r"\b(?:extra_variables|aliases)\b")


def adds(source: str) -> bool:
    """Whether a charm's code says anything of variables of its own."""
    return _ADDS.search(source) is not None


def added(project: Project, charm: Path, made: Environment, asked: Asked, bwrap: str) -> tuple[dict[str, str], str]:
    """Return the whole environment with what the charm adds, and why that is not known, "" when it is.

    The charm sees every endpoint as integrated with an application of its interface's usual name, and empty databags.

    Raises:
        BuildError, ExtensionError: the charm cannot be packed.
    """
    with tempfile.TemporaryDirectory(prefix="nuages-probe-") as temporary:
        folder = Path(temporary)
        with zipfile.ZipFile(pack(charm, folder / "asked.charm").path) as archive:
            archive.extractall(folder / "charm")
        shutil.copyfile(Path(__file__).with_name("ask_charm.py"), folder / "ask.py")
        (folder / "question.json").write_text(json.dumps(_question(project, asked)))
        make_readable(folder)
        folder.chmod(0o755)
        inside = ["--ro-bind", str(folder / "charm"), "/charm"]
        for name in ("ask.py", "question.json"):
            inside += ["--ro-bind", str(folder / name), "/" + name]
        argv = ["/bin/python3", "-I", "-S", "/ask.py", "/question.json"]
        words = confined.command(bwrap, made, inside, argv, app="/charm")
        result = process.run(words, environment=confined.ENVIRONMENT, timeout=TIMEOUT)
    try:
        answer: dict[str, Any] = json.loads(result.out)
    except ValueError:
        last = (result.err.strip().splitlines() or ["it said nothing"])[-1]
        return asked.environment, f"src/charm.py could not be asked for its variables: {last}"
    if "error" in answer:
        place = f"src/charm.py:{answer['line']}" if answer["line"] else "src/charm.py"
        return asked.environment, f"{place} could not be asked for its variables: {answer['error']}"
    found: dict[str, str] = {str(name): str(value) for name, value in answer["variables"].items()}
    return found, ""


def _question(project: Project, asked: Asked) -> dict[str, Any]:
    document, base = project.document, project.base or BASES[0]
    name = str(document.get("name"))
    relations = [_relation(number, endpoint, document) for number, endpoint in enumerate(document.mapping("requires"))]
    return {
        "environment": asked.environment,
        "related": [relation["endpoint"] for relation in relations],
        "relations": relations,
        "facts": {
            "event": "config_changed",
            "app": name,
            "unit": f"{name}/0",
            "model": "asked",
            "leader": True,
            "container": base.container,
            "peer_endpoint": base.peer,
            "charm": name,
            "config": asked.config,
        },
    }


def _relation(number: int, endpoint: str, document: Document) -> dict[str, Any]:
    interface = str(document.mapping("requires", endpoint).get("interface") or "")
    known = BY_NAME.get(interface)
    app = (known.endpoint if known else "") or endpoint
    return {
        "endpoint": endpoint,
        "interface": interface,
        "id": number,
        "app": app,
        "bag": {},
        "units": {f"{app}/0": {}},
        "secrets": {},
    }
