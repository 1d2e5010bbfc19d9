"""The table of commands: what `--help` lists without importing any of them."""

from dataclasses import dataclass

JUJU = "Juju's verbs"
OURS = "Run this project"
CHARMCRAFT = "Charmcraft's verbs"


@dataclass(frozen=True)
class Entry:
    """One command: its name, its line in `--help`, its group there. Its module is `cli/<name with underscores>.py`."""

    name: str
    help: str
    group: str
    hidden: bool = False

    @property
    def module(self) -> str:
        """The module whose `command` it is."""
        return f"nuages.cli.{self.name.replace('-', '_')}"


COMMANDS: tuple[Entry, ...] = (
    Entry("up", "Build this project and run it here, or bring what runs up to date.", OURS),
    Entry("down", "Stop this project's model; its data stays (--purge removes it).", OURS),
    Entry("env", "Show the environment an application runs with, and where each variable comes from.", OURS),
    Entry("connect", "Open a console into the server behind an application's endpoint.", OURS),
    Entry("logs", "Show what the workloads print.", OURS),
    Entry("diagnose", "Ask the running application as a browser would, and explain what is wrong.", OURS),
    Entry("snapshot", "Keep the whole of a model, and go back to it.", OURS),
    Entry("check", "Find what is wrong with the charm and the project, before anything runs.", OURS),
    Entry("doctor", "Try what this machine can do, and say what to type for what it cannot.", OURS),
    Entry("init", "Turn a Django project into a charm and a rock, or make a new one that is.", CHARMCRAFT),
    Entry("expand-extensions", "Print charmcraft.yaml with its extension expanded.", CHARMCRAFT),
    Entry("list-extensions", "List the extensions and the bases they support.", CHARMCRAFT),
    Entry("pack", "Write the .charm file.", CHARMCRAFT),
    Entry("rock", "Build the local rock: the root file system that the application runs in here.", OURS),
    Entry("status", "Show the model's applications, units and relations.", JUJU),
    Entry("deploy", "Deploy a charm file or a built-in application.", JUJU),
    Entry("refresh", "Give an application a new charm or new resources.", JUJU),
    Entry("integrate", "Relate two applications.", JUJU),
    Entry("remove-relation", "Break the relation of two applications.", JUJU),
    Entry("config", "Show, set or reset an application's options.", JUJU),
    Entry("model-config", "Show, set or reset the model's options.", JUJU),
    Entry("add-unit", "Add units to an application.", JUJU),
    Entry("remove-unit", "Remove units from an application.", JUJU),
    Entry("scale-application", "Set how many units an application has.", JUJU),
    Entry("remove-application", "Remove an application and its units.", JUJU),
    Entry("attach-resource", "Give an application another rock.", JUJU),
    Entry("resolved", "Run failed hooks again now, or pass them over.", JUJU),
    Entry("add-secret", "Add a secret.", JUJU),
    Entry("update-secret", "Change a secret.", JUJU),
    Entry("grant-secret", "Let applications read a secret.", JUJU),
    Entry("revoke-secret", "Take the right to read a secret back.", JUJU),
    Entry("remove-secret", "Remove a secret.", JUJU),
    Entry("secrets", "List the secrets.", JUJU),
    Entry("show-secret", "Show one secret.", JUJU),
    Entry("actions", "List the actions of an application.", JUJU),
    Entry("show-action", "Show what an action does and takes.", JUJU),
    Entry("run", "Run an action on a unit.", JUJU),
    Entry("exec", "Run a command as a unit's charm, with its hook tools.", JUJU),
    Entry("ssh", "Open a shell, or run a command, in a unit's container.", JUJU),
    Entry("debug-log", "Show what charms and engine log.", JUJU),
    Entry("changes", "List what was done to the model.", JUJU),
    Entry("change", "Show one change and its tasks.", JUJU),
    Entry("show-application", "Show what an application is.", JUJU),
    Entry("show-unit", "Show a unit with the databags of its relations.", JUJU),
    Entry("trust", "Trust a charm.", JUJU),
    Entry("models", "List the models.", JUJU),
    Entry("show-model", "Show what a model is.", JUJU),
    Entry("add-model", "Create an empty model.", JUJU),
    Entry("destroy-model", "Remove a model and all its data.", JUJU),
    Entry("switch", "Choose the model for commands outside of a project.", JUJU),
    Entry("version", "Show the version.", JUJU),
)

ALIASES: dict[str, str] = {
    "relate": "integrate",
    "tasks": "change",
    "list-actions": "actions",
    "list-models": "models",
    "list-secrets": "secrets",
    "resolve": "resolved",
}

_NO_CONTROLLER = "there is no controller: one machine, one user"
_NO_OFFERS = "a model is related to no other"
_NO_MACHINES = "there is one machine, this one"
_VOLUMES = "applications keep their data without being asked; `snapshot` copies all of it"
_WAITS = "commands return when their hooks have run"
_PUBLISHED = "ingress publishes applications: `integrate APPLICATION traefik-k8s`"

INSTEAD: dict[str, str] = {
    "wait-for": _WAITS,
    "expose": _PUBLISHED,
    "unexpose": _PUBLISHED,
    "bootstrap": _NO_CONTROLLER,
    "controllers": _NO_CONTROLLER,
    "whoami": _NO_CONTROLLER,
    "login": _NO_CONTROLLER,
    "offer": _NO_OFFERS,
    "consume": _NO_OFFERS,
    "offers": _NO_OFFERS,
    "machines": _NO_MACHINES,
    "add-machine": _NO_MACHINES,
    "storage": _VOLUMES,
    "operations": "`changes` lists what was done, actions too",
    "show-operation": "`change NUMBER` shows an action's outcome",
    "show-task": "`change NUMBER` shows an action's outcome",
    "download": "built-in applications need none",
    "info": "docs/reference/applications.md lists the built-in applications",
    "find": "docs/reference/applications.md lists the built-in applications",
    "scp": "`ssh UNIT 'cat FILE' > FILE` copies a file",
    "bundle": "there is none: `up --dry-run` prints the commands",
    "export-bundle": "there is none: `up --dry-run` prints the commands",
}
"""What to do in place of the commands that Juju has and we have not."""
