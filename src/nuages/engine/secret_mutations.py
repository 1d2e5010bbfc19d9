"""What a user can do with secrets: each request is checked, recorded as a change and committed in one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nuages.engine import secrets, user_secrets
from nuages.engine.mutations import record
from nuages.engine.runner import ModelRunner
from nuages.engine.state import Goal


def add(runner: ModelRunner, name: str, content: Mapping[str, str], info: str) -> tuple[str, str]:
    """Add a secret; return the change and the secret's URI.

    Raises:
        SecretError: the name is taken, a key is none, or there is no content.
    """
    number = secrets.new_id()
    change = record(
        runner,
        "add-secret",
        f"add secret {name}",
        (),
        lambda model, now: user_secrets.add(model, number, name, content=content, description=info, now=now),
    )
    return change, f"secret:{number}"


def update(
    runner: ModelRunner, secret: str, *, content: Mapping[str, str], name: str, info: str, auto_prune: bool | None
) -> str:
    """Change a secret; the change is ready when the applications that have read it were told.

    Raises:
        SecretError: no such secret, the new name is taken, or nothing to change.
    """
    found = user_secrets.owned(runner.state, secret)
    goals = [Goal("settled", application) for application in sorted(user_secrets.readers(found))]
    return record(
        runner,
        "update-secret",
        f"update secret {found.label}",
        goals,
        lambda model, now: user_secrets.update(
            model, found.id, content=content, name=name, description=info, auto_prune=auto_prune, now=now
        ),
    )


def grant(runner: ModelRunner, secret: str, applications: Iterable[str]) -> str:
    """Let applications read a secret. No hook follows: a charm sees it when it looks again, as with Juju.

    Raises:
        EngineError: no such secret or application.
    """
    found, names = user_secrets.owned(runner.state, secret), list(applications)
    summary = f"grant secret {found.label} to {', '.join(names)}"
    return record(runner, "grant-secret", summary, (), lambda model, now: user_secrets.grant(model, found.id, names))


def revoke(runner: ModelRunner, secret: str, applications: Iterable[str]) -> str:
    """Take the right to read a secret back.

    Raises:
        EngineError: no such secret or application.
    """
    found, names = user_secrets.owned(runner.state, secret), list(applications)
    summary = f"revoke secret {found.label} from {', '.join(names)}"
    return record(runner, "revoke-secret", summary, (), lambda model, now: user_secrets.revoke(model, found.id, names))


def remove(runner: ModelRunner, secret: str, revision: int | None) -> str:
    """Remove a secret, or one of its revisions.

    Raises:
        SecretError: no such secret or revision.
    """
    found = user_secrets.owned(runner.state, secret)
    what = f"secret {found.label}" if revision is None else f"revision {revision} of secret {found.label}"
    return record(
        runner,
        "remove-secret",
        f"remove {what}",
        (),
        lambda model, now: user_secrets.remove(model, found.id, revision),
    )
