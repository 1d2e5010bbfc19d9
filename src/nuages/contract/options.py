"""The configuration options of the contract, and the variable or webserver setting that each becomes.

Names, types, defaults and order are charmcraft 4.5's; the descriptions are ours.
"""

from nuages.contract.row import NamedTuple

Default = str | int | bool | None

PREFIX = "DJANGO_"
"""What every option of the user's own is prefixed with on its way into the environment."""

RESERVED_PREFIXES = ("webserver-", "django-")
"""A user's option may not start with one of these: charmcraft refuses it."""

DROPPED_PREFIXES = ("app-",)
"""Options that charmcraft lets pass and the reference runtime then drops without a word; refused here."""

TYPES = ("string", "int", "float", "boolean", "secret")
"""What Juju knows as the type of an option."""


class Option(NamedTuple):
    """One option that the extension contributes."""

    name: str
    type: str
    description: str
    default: Default = None
    variable: str = ""
    """The environment variable it becomes; "" when it becomes none."""
    setting: str = ""
    """The gunicorn setting it becomes (`workers`, `threads`, ...); "" when it becomes none."""
    encoding: str = "text"
    """How the value is written: `text`, `boolean` (true/false), `hosts` (JSON list), `secret` (its key `value`)."""


WEBSERVER = (
    Option(
        "webserver-keepalive",
        "int",
        "Seconds that an idle keep-alive connection stays open before the server closes it.",
        setting="keepalive",
    ),
    Option(
        "webserver-threads",
        "int",
        "Threads in each worker process of the web server; with more than one, 'sync' is served as 'gthread'.",
        setting="threads",
    ),
    Option(
        "webserver-timeout",
        "int",
        "Seconds without a sign of life after which a worker process is killed and replaced. A reload or a stop waits "
        "as long for requests under way, 30 seconds at least.",
        setting="timeout",
    ),
    Option("webserver-workers", "int", "Worker processes of the web server.", setting="workers"),
    Option(
        "webserver-worker-class",
        "string",
        "How a worker process handles requests: 'sync', 'gthread' (in threads), 'gevent' when the rock has gevent, or "
        "'asgi' when it has gunicorn 25 or uvicorn-worker.",
        setting="worker_class",
    ),
)

DEBUG = Option(
    "django-debug",
    "boolean",
    "Django's debug mode, handed over as DJANGO_DEBUG. Never leave it on where strangers can reach the site.",
    default=False,
    variable="DJANGO_DEBUG",
    encoding="boolean",
)

ALLOWED_HOSTS = Option(
    "django-allowed-hosts",
    "string",
    "Host names that the site answers to, separated by commas; a JSON list in DJANGO_ALLOWED_HOSTS. "
    "The host of the public URL is added by itself.",
    variable="DJANGO_ALLOWED_HOSTS",
    encoding="hosts",
)

SECRET_KEY = Option(
    "django-secret-key",
    "string",
    "Key with which Django signs sessions and tokens (DJANGO_SECRET_KEY). "
    "Unset, the charm makes one and keeps it in a secret.",
    variable="DJANGO_SECRET_KEY",
)

SECRET_KEY_ID = Option(
    "django-secret-key-id",
    "secret",
    "Like django-secret-key, but the ID of a user secret whose only key is 'value'. Grant it to the application first: "
    "juju add-secret NAME value=KEY && juju grant-secret NAME APPLICATION",
    variable="DJANGO_SECRET_KEY",
    encoding="secret",
)

APP_SECRET_KEY = Option(
    "app-secret-key",
    "secret",
    "ID of a user secret whose only key 'value' is what Django signs sessions and tokens with (DJANGO_SECRET_KEY). "
    "Grant it to the application first: juju add-secret NAME value=KEY && juju grant-secret NAME APPLICATION",
    variable="DJANGO_SECRET_KEY",
    encoding="secret",
)

CLASSIC = (*WEBSERVER, DEBUG, SECRET_KEY, SECRET_KEY_ID, ALLOWED_HOSTS)
"""The options on ubuntu 22.04 and 24.04, in charmcraft's order."""

MODERN = (*WEBSERVER, DEBUG, ALLOWED_HOSTS, APP_SECRET_KEY)
"""The options on ubuntu 26.04."""


class DynamicOption(NamedTuple):
    """An option contributed once for each endpoint of some interface; the name is ENDPOINT + suffix."""

    suffix: str
    type: str
    default: str
    description: str
    """`{variable}` stands for the variable that it becomes."""


DYNAMIC: dict[str, tuple[DynamicOption, ...]] = {
    "oauth": (
        DynamicOption(
            "-redirect-path",
            "string",
            "/callback",
            "Path of the site to which the identity provider sends users back, also in {variable}.",
        ),
        DynamicOption(
            "-scopes",
            "string",
            "openid profile email",
            "Scopes asked of the identity provider, separated by spaces, also in {variable}.",
        ),
    ),
}
"""By interface of a `requires` endpoint."""

HEALTH_PATH = "health-path"
"""A user's own option that the charm itself reads too: a path to ask for instead of a mere connection."""
VHOST = "-vhost"
"""What follows the name of a `rabbitmq` endpoint in that of another such option: the virtual host to ask for."""

BUILT_IN_VARIABLES = {
    "DJANGO_DEBUG": "option django-debug",
    "DJANGO_ALLOWED_HOSTS": "option django-allowed-hosts",
    "DJANGO_SECRET_KEY": "the secret key",
    "DJANGO_SECRET_KEY_FALLBACKS": "the secret keys before the last rotation",
    "DJANGO_BASE_URL": "the public URL",
    "DJANGO_PEER_FQDNS": "the other units' names",
}
"""Variables that the charm sets itself, whatever the relations: a user's option may not produce one of them.

`DJANGO_CSRF_TRUSTED_ORIGINS` is not among them on purpose: a user's option of that name wins over the built-in value.
"""

MODERN_VARIABLES = {
    "DJANGO_METRICS_PORT": "the metrics port",
    "DJANGO_METRICS_PATH": "the metrics path",
}
"""Variables that the charm sets besides on ubuntu 26.04."""


def variable_of(option: str) -> str:
    """Return the variable that a user's option becomes: `some-name` gives `DJANGO_SOME_NAME`."""
    return PREFIX + option.upper().replace("-", "_")
