"""Every status that the charm can show, in one table: the condition, what it says, and what to type."""

from nuages.contract.row import NamedTuple

LIMIT = 120
"""Characters of a status: `juju status` shows it in one line."""
SHORTEST = 20
"""Characters that a text keeps in front of a long command; with fewer left the command is left out."""


class Status(NamedTuple):
    """A status as Juju knows it."""

    level: str
    """`active`, `waiting`, `blocked` or `maintenance`."""
    message: str = ""


class Condition(NamedTuple):
    """One row of the table. `text` and `command` are templates; `why` explains the row in the reference."""

    name: str
    level: str
    text: str
    why: str
    command: str = ""
    test: str = ""  # that shows the row

    def __call__(self, **fields: object) -> Status:
        """Return the status with the fields filled in, shortened to LIMIT so that the command stays whole."""
        values = {name: " ".join(str(value).split()) for name, value in fields.items()}
        text = self.text.format(**values)
        tail = ": " + self.command.format(**values) if self.command else ""
        if len(tail) > LIMIT - SHORTEST:
            tail = ""  # half a command would be worse than none
        room = LIMIT - len(tail)
        if len(text) > room:
            text = text[: room - 1].rstrip() + "…"
        return Status(self.level, text + tail)


ACTIVE = Condition(
    "active",
    "active",
    "",
    "The web service answers and everything runs as configured.",
    test="tests/charm/test_app.py::test_first_start_serves",
)

WAITING_PEBBLE = Condition(
    "waiting-pebble",
    "waiting",
    "waiting for Pebble in container {container}",
    "The workload container is not up yet. Kubernetes may still be fetching the rock.",
    test="tests/charm/test_app.py::test_what_is_wrong_is_said",
)
ROCK_UNUSABLE = Condition(
    "rock-unusable",
    "blocked",
    "cannot use the rock: {reason}",
    "The rock lacks what the contract promises: the service `django`, or a Python that starts.",
    test="tests/charm/test_app.py::test_what_is_wrong_is_said",
)
OPTION_MISSING = Condition(
    "option-missing",
    "blocked",
    "option {option} must be set",
    "The option is declared with `optional: false` and has no value.",
    "juju config {app} {option}=VALUE",
    test="tests/charm/test_options.py::test_required_option_without_value",
)
OPTION_INVALID = Condition(
    "option-invalid",
    "blocked",
    "option {option} {reason}",
    "The option's value cannot be used. The services go on with the last good configuration.",
    "juju config {app} {option}={example}",
    test="tests/charm/test_options.py::test_problem_names_the_option_and_the_command",
)
WORKER_CLASS = Condition(
    "worker-class",
    "blocked",
    "worker class {worker_class}: {reason}",
    "The rock cannot serve the application with the kind of worker that webserver-worker-class asks for. The services "
    "go on with the last good configuration.",
    "juju config {app} --reset webserver-worker-class",
    test="tests/charm/test_worker_class.py::test_what_cannot_be_is_blocked_with_what_to_do",
)
WORKER_CLASS_MISSING = Condition(
    "worker-class-missing",
    "blocked",
    "the rock serves {module} with a worker that does not speak ASGI",
    "The rock's command names an ASGI module and a worker class for WSGI modules.",
    "juju config {app} webserver-worker-class=asgi",
    test="tests/charm/test_worker_class.py::test_what_cannot_be_is_blocked_with_what_to_do",
)
OPTION_SECRET = Condition(
    "option-secret",
    "blocked",
    "option {option}: its secret cannot be read",
    "The secret is not granted to the application, or not any more.",
    "juju grant-secret {secret} {app}",
    test="tests/charm/test_options.py::test_problem_names_the_option_and_the_command",
)
OPTION_SECRET_MISSING = Condition(
    "option-secret-missing",
    "blocked",
    "option {option} names no secret; set an ID from juju add-secret",
    "There is no secret of that ID: it was removed, or never was.",
    "juju config {app} {option}=ID",
    test="tests/charm/test_app.py::test_what_is_wrong_is_said",
)
OPTION_SECRET_KEY = Condition(
    "option-secret-key",
    "blocked",
    "option {option}: its secret must have the key 'value'",
    "The secret exists, but its content is not what the option needs.",
    "juju update-secret {secret} value=KEY",
    test="tests/charm/test_options.py::test_secret_key_from_a_secret",
)
OPTION_SECRET_VALUE = Condition(
    "option-secret-value",
    "blocked",
    "option {option}: {key} in its secret has a NUL in it, or half a character",
    "The secret's content would become a variable, and no process can have one like this.",
    "juju update-secret {secret} {key}=VALUE",
    test="tests/charm/test_options.py::test_what_no_process_can_have_is_blocked",
)
OPTION_CLASH = Condition(
    "option-clash",
    "blocked",
    "options {first} and {second} are both set",
    "Both name the secret key; one has to go.",
    "juju config {app} --reset {second}",
    test="tests/charm/test_options.py::test_problem_names_the_option_and_the_command",
)
WAITING_PEER = Condition(
    "waiting-peer",
    "waiting",
    "waiting for the peer relation",
    "Juju has not told the unit of its peer relation yet.",
    test="tests/charm/test_app.py::test_what_is_wrong_is_said",
)
WAITING_KEY = Condition(
    "waiting-key",
    "waiting",
    "waiting for the leader to make the secret key",
    "Only the leader may create the application's secret.",
    test="tests/charm/test_app.py::test_what_is_wrong_is_said",
)
MISSING = Condition(
    "missing-integration",
    "blocked",
    "{endpoint} is not integrated",
    "A required integration is missing. The web service, workers and schedulers are stopped.",
    "juju integrate {app}:{endpoint} {provider}",
    test="tests/charm/test_app.py::test_missing_database_names_endpoint_and_command",
)
NO_DATABASE_ENDPOINT = Condition(
    "no-database-endpoint",
    "blocked",
    "no database endpoint: add one of interface postgresql_client to requires in charmcraft.yaml",
    "Django needs a database, and the charm's metadata declares no endpoint for one.",
    test="tests/charm/test_decide.py::test_optional_database_alone_is_asked_for_too",
)
NO_DATABASE = Condition(
    "no-database",
    "blocked",
    "no database, and one of {endpoints} must be integrated",
    "Django needs a database, and any of these endpoints would do. The web service, workers and schedulers are "
    "stopped.",
    "juju integrate {app}:{endpoint} {provider}",
    test="tests/charm/test_decide.py::test_several_optional_databases_and_none_related",
)
UNUSABLE = Condition(
    "integration-unusable",
    "blocked",
    "{endpoint}: {reason}",
    "The other side has answered with something that cannot be used until you act. Where the integration is optional, "
    "the application runs without it.",
    "{fix}",
    test="tests/charm/test_integrations.py::test_what_needs_somebody_to_act_is_blocked_with_the_command",
)
NOT_READY = Condition(
    "integration-not-ready",
    "waiting",
    "waiting for {remote} ({endpoint}): {reason}",
    "The other side of a required integration has not answered completely yet.",
    test="tests/charm/test_app.py::test_what_is_wrong_is_said",
)
MIGRATING = Condition(
    "migrating",
    "maintenance",
    "migrating {what}",
    "This unit applies the migrations: for how long, and which of them now.",
    test="tests/charm/test_app.py::test_what_takes_long_is_shown_meanwhile",
)
MIGRATION_ELSEWHERE = Condition(
    "migration-elsewhere",
    "waiting",
    "waiting for {unit} to migrate the database",
    "One unit migrates for all; this one starts its services afterwards.",
    test="tests/charm/test_decide.py::test_who_waits_for_migrations_says_for_whom",
)
MIGRATION_TICKET = Condition(
    "migration-ticket",
    "waiting",
    "waiting for the leader to say who migrates the database",
    "The leader names the unit that migrates, and has not run a hook since this unit asked: `juju status` says why.",
    test="tests/charm/test_decide.py::test_who_waits_for_migrations_says_for_whom",
)
MIGRATION_FAILED = Condition(
    "migration-failed",
    "blocked",
    "migration failed, retried at update-status: {error}",
    "The migration ended with an error; its whole output is in the container's log.",
    test="tests/charm/test_app.py::test_failed_migration_blocks_and_is_tried_again_at_update_status",
)
STARTING = Condition(
    "starting",
    "maintenance",
    "starting the web service",
    "The application boots.",
    test="tests/charm/test_app.py::test_what_takes_long_is_shown_meanwhile",
)
CRASHED = Condition(
    "crashed",
    "blocked",
    "the app does not start: {error}",
    "The web service stops while it boots. Pebble goes on trying; the traceback is in the container's log.",
    test="tests/charm/test_app.py::test_crash_at_boot_is_told_by_its_own_traceback",
)
NOT_ANSWERING = Condition(
    "not-answering",
    "waiting",
    "the web service does not answer: {reason}",
    "The web service runs, but a request to it got no answer in time.",
    test="tests/charm/test_app.py::test_no_answer_without_a_crash_waits",
)
UNHEALTHY = Condition(
    "unhealthy",
    "waiting",
    "this unit gets no requests: {path}: {reason}",
    "The web service answers the path that option health-path names with a status below 200 or above 399, or not at "
    "all. The check goes on; the unit gets requests again when it succeeds.",
    test="tests/charm/test_apply.py::test_health_path_decides_about_requests",
)
SLOW_STOP = Condition(
    "slow-stop",
    "waiting",
    "waiting for a service to finish what it does",
    "A service has to end before it can be started anew, and still works on its last task or request.",
    test="tests/charm/test_apply.py::test_what_pebble_refuses_is_said_and_tried_again",
)
REFUSED = Condition(
    "configuration-refused",
    "blocked",
    "the app refuses the new configuration and serves the old one: {error}",
    "The application was loaded with the new variables before they were applied, and failed.",
    test="tests/charm/test_apply.py::test_configuration_that_does_not_load_never_counts",
)
SERVICE_FAILED = Condition(
    "service-failed",
    "blocked",
    "service {service} does not start: {error}",
    "A service of the rock other than the web service failed to start.",
    test="tests/charm/test_apply.py::test_worker_that_ends_at_once_is_named_with_its_own_words",
)
PEBBLE_FAILED = Condition(
    "pebble-failed",
    "blocked",
    "Pebble refused: {error}",
    "An operation in the container failed; every event tries again.",
    test="tests/charm/test_apply.py::test_what_pebble_refuses_is_said_and_tried_again",
)

CONDITIONS = (
    ACTIVE,
    WAITING_PEBBLE,
    ROCK_UNUSABLE,
    OPTION_MISSING,
    OPTION_INVALID,
    WORKER_CLASS,
    WORKER_CLASS_MISSING,
    OPTION_SECRET,
    OPTION_SECRET_MISSING,
    OPTION_SECRET_KEY,
    OPTION_SECRET_VALUE,
    OPTION_CLASH,
    WAITING_PEER,
    WAITING_KEY,
    MISSING,
    NO_DATABASE,
    NO_DATABASE_ENDPOINT,
    UNUSABLE,
    NOT_READY,
    MIGRATING,
    MIGRATION_ELSEWHERE,
    MIGRATION_TICKET,
    MIGRATION_FAILED,
    STARTING,
    CRASHED,
    NOT_ANSWERING,
    UNHEALTHY,
    SLOW_STOP,
    REFUSED,
    SERVICE_FAILED,
    PEBBLE_FAILED,
)
