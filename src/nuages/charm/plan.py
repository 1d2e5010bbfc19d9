"""Everything the charm wants after one event: made by `decide`, carried out by `apply`, compared by tests.

The container's part is a tuple of steps, in order; a step that fails ends the plan with a status of its own.
A plan made from the facts that a carried out plan leaves behind has no steps.
"""

from collections.abc import Mapping

from nuages.charm.facts import Content, Service
from nuages.charm.record import record
from nuages.charm.statuses import Status
from nuages.contract.row import NamedTuple


class BagWrite(NamedTuple):
    """Keys to merge into one of our databags."""

    endpoint: str
    relation: int
    scope: str
    """`app` or `unit`."""
    data: Mapping[str, str]
    once: bool = False
    """Leave keys alone that are there already."""


class SecretWrite(NamedTuple):
    """The content of the application's secret key, and how the other units hear of it."""

    content: Content
    id: str
    """The secret to change; "" to create it."""
    endpoint: str
    relation: int
    """The peer relation, whose application bag names the secret."""
    state: str
    """Differs with each content, so that the other units get a hook."""


class File(NamedTuple):
    """A text file in the container, readable by its owner and the group."""

    path: str
    text: str
    group: str = ""
    """"" leaves the owner to Pebble."""


class Layer(NamedTuple):
    """Add a layer; nothing that runs is touched. Checks and log targets count at once."""

    label: str
    services: Mapping[str, Service] = {}
    checks: Mapping[str, Mapping[str, object]] = {}
    targets: Mapping[str, Mapping[str, object]] = {}


class Stop(NamedTuple):
    """Stop services, each given its kill-delay to finish what it does.

    What is to be restarted with another definition is stopped, changed and started, in this order: a hook that is
    killed in between leaves it stopped, which the next one sees, and not running with the old definition.
    """

    services: tuple[str, ...]


class Write(NamedTuple):
    """Write a file."""

    file: File


class Start(NamedTuple):
    """Start services; one that runs already adopts its new definition and runs on."""

    services: tuple[str, ...]
    settle: bool = False
    """Wait until they have run for a second; one that has not is an error."""


class Look(NamedTuple):
    """Say why services crash again and again."""

    services: tuple[str, ...]


class Migrate(NamedTuple):
    """Run the migrations as a one-shot service, and wait for it as long as a hook may take."""

    service: str
    definition: Service
    release: str
    database: str
    attempt: str


class Question(NamedTuple):
    """One request, as it would come from outside."""

    host: str
    port: int
    path: str = "/"
    protocol: str = "http"


class Load(NamedTuple):
    """Load the application with a configuration file that is not in force yet; if it fails, nothing changes."""

    file: File
    """Under its temporary name."""
    python: str
    application: str
    """`notes.wsgi:application`; "" when the command does not say: then only the file is read."""
    user: str
    directory: str


class Reload(NamedTuple):
    """Put a configuration into force by SIGHUP; unless its workers load it, put the old one back."""

    file: File
    layer: Layer
    previous: File
    """What counted before, and comes back if need be, like the next."""
    previous_layer: Layer
    service: str
    marker: str
    """The file that is there when all workers of the new configuration have loaded the application."""
    question: Question
    strict: bool
    """Whether an unhealthy answer is the new configuration's fault, because the old one's was healthy."""


class Ask(NamedTuple):
    """Ask the web service one thing: it works when it answers, whatever it says."""

    service: str
    question: Question
    fresh: bool
    """Whether it was started just now: then a crash is the application's own."""


class Consult(NamedTuple):
    """Ask the web service whether it is well: it has to answer the health path with a status from 200 to 399."""

    service: str
    question: Question


Step = Layer | Stop | Write | Start | Look | Migrate | Load | Reload | Ask | Consult


@record
class Plan:
    """What to do. `status` is shown when every step works."""

    status: Status | None = None
    """None leaves it as it is."""
    steps: tuple[Step, ...] = ()
    bags: tuple[BagWrite, ...] = ()
    secret: SecretWrite | None = None
    ports: tuple[int, ...] | None = None
    """None leaves them as they are."""
    version: str = ""
    """The workload's version, when it is to be told."""
    rotating: bool = False
    """Whether a rotation of the secret key goes on when the steps are done."""
    secrets: tuple[str, ...] = ()
    """Values that no text may show."""
