"""The real Prometheus: its image, its Pebble layer, and how it is told what to scrape."""

from __future__ import annotations

import base64
import hashlib
import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ops.pebble

from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.service import Context
from nuages.services import driver
from nuages.services.prometheus import answer, checks
from nuages.services.prometheus.answer import Scraped

VERSION = "2.42"
PORT = 9090
CONTAINER = "prometheus"
DATA = "/var/lib/prometheus"
HOME = f"{DATA}/server"
"""The server's own folder: the volume itself belongs to the container's root."""
USER = "admin"

_PROGRAM = "/opt/prometheus"
_FILES = "/opt/nuages"
_PROMTOOL = f"{_PROGRAM}/promtool"
_CONFIGURATION = f"{HOME}/prometheus.json"
_RULES, _TARGETS, _CHECKS = f"{HOME}/rules", f"{HOME}/targets", f"{HOME}/checks"
_FOLDERS: tuple[str, ...] = (HOME, _RULES, _TARGETS, _CHECKS)
_LOGIN = f"{HOME}/login"
_READ = f"{HOME}/read"
"""The file with the digest of what the server was told to read."""
_READY = ["/bin/bash", f"{_FILES}/ready.sh", str(PORT), _LOGIN]
_START_TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class Settings:
    """What the options say."""

    scrape_interval: str
    evaluation_interval: str
    retention_time: str
    retention_size: str
    log_level: str


@dataclass(frozen=True)
class Login:
    """Who may see the page and ask the API."""

    password: str
    hash: str
    """Of the password, by bcrypt, which is all that Prometheus knows."""

    @property
    def basic(self) -> str:
        """Return it as the header of HTTP has it."""
        return base64.b64encode(f"{USER}:{self.password}".encode()).decode()


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: Debian's tree, whose page is looked for at /usr/share, and our few files."""
    program = programs["prometheus"]
    names = ("ready.sh", "hash.pl")
    return Image(
        root=driver.write_root(__package__ or "", directory, {name: f"{_FILES}/{name}" for name in names}),
        mounts=(Mount(program.parent, _PROGRAM), Mount(program.parents[1] / "share", "/usr/share")),
        environment={"PATH": f"{_PROGRAM}:{driver.SYSTEM_PATH}"},
    )


def workload(settings: Settings) -> driver.Workload:
    """Return what the container's Pebble should run."""
    arguments = [
        f"--config.file={_CONFIGURATION}",
        f"--web.config.file={HOME}/web.json",
        f"--web.listen-address=:{PORT}",
        f"--storage.tsdb.path={HOME}/data",
        f"--storage.tsdb.retention.time={settings.retention_time}",
        f"--storage.tsdb.retention.size={settings.retention_size}",
        f"--log.level={settings.log_level}",
    ]
    layer: ops.pebble.LayerDict = {
        "summary": "Prometheus",
        "services": {
            CONTAINER: {
                "override": "replace",
                "summary": f"Prometheus {VERSION}",
                "command": " ".join([f"{_PROGRAM}/prometheus", *arguments]),
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "backoff-limit": "10s",
            }
        },
        "checks": {
            "ready": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "exec": {"command": " ".join(_READY), "user": driver.USER},
            }
        },
    }
    return driver.Workload(layer, dict.fromkeys(_FOLDERS, 0o700))


async def login(context: Context, password: str) -> Login:
    """Return a password with its hash, made by the container's own crypt."""
    letters = "./" + string.ascii_letters + string.digits
    draw = random.SystemRandom()
    # 128 bits in 22 letters: of the last one only two bits count.
    salt = "$2b$10$" + "".join(draw.choices(letters, k=21)) + draw.choice(".Oeu")
    command = ["/usr/bin/perl", f"{_FILES}/hash.pl"]
    made = await driver.with_pebble(context, lambda client: driver.run(client, command, stdin=f"{password}\n{salt}\n"))
    return Login(password, made.strip())


async def run(
    context: Context, settings: Settings, who: Login, wanted: Sequence[Scraped], *, patient: bool
) -> tuple[bool, list[checks.Problem]]:
    """Have the server run and scrape what is wanted; return whether it answers, and what was refused.

    Raises:
        ServiceError: it does not start, or does not answer in time when `patient`.
        NotReachable: Pebble does not answer.
    """

    def work(client: ops.pebble.Client) -> tuple[bool, list[checks.Problem]]:
        plan = workload(settings)
        for path, mode in plan.directories.items():
            client.make_dir(path, make_parents=True, permissions=mode, user=driver.USER, group=driver.USER)
        good, problems = checks.check(client, _PROMTOOL, _CHECKS, wanted, settings.scrape_interval)
        driver.keep(client, _LOGIN, who.basic)
        driver.keep(client, f"{HOME}/web.json", answer.document({"basic_auth_users": {USER: who.hash}}))
        told = _tell(client, settings, good)
        running = any(info.name == CONTAINER and info.is_running() for info in client.get_services())
        change = driver.converge(client, plan)
        if running and change is None and not driver.holds(client, _READ, told):
            client.send_signal("SIGHUP", [CONTAINER])
        if not running or change is None:
            # Written last: a hook that ends between the files and the signal is one that has to send it again.
            driver.keep(client, _READ, told)
        ready = driver.await_server(
            client,
            _READY,
            change,
            server="Prometheus",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )
        return ready, problems

    return await driver.with_pebble(context, work)


def _tell(client: ops.pebble.Client, settings: Settings, good: Sequence[Scraped]) -> str:
    """Write what to scrape and which rules to evaluate; return the digest of what the server has to be told to read.

    Files of targets it reads by itself.
    """
    jobs = [job for scraped in good for job in scraped.jobs]
    targets = {job.file: answer.document(list(job.targets)) for job in jobs}
    rules = {
        f"{answer.plain(scraped.identifier)}.json": answer.rule_file(scraped.rules) for scraped in good if scraped.rules
    }
    _folder(client, _TARGETS, targets)
    _folder(client, _RULES, rules)
    text = answer.configuration(
        jobs,
        targets=_TARGETS,
        rules=_RULES,
        scrape_interval=settings.scrape_interval,
        evaluation_interval=settings.evaluation_interval,
    )
    driver.keep(client, _CONFIGURATION, text)
    return hashlib.sha256(answer.document([text, rules]).encode()).hexdigest()


def _folder(client: ops.pebble.Client, folder: str, files: Mapping[str, str]) -> None:
    """Have a folder hold these files and no others."""
    stale = [info.path for info in client.list_files(folder) if info.name not in files]
    for name, text in files.items():
        driver.keep(client, f"{folder}/{name}", text)
    for path in stale:
        client.remove_path(path)


async def validate(context: Context) -> tuple[bool, str]:
    """Return whether promtool finds the configuration good, and what it says."""

    def work(client: ops.pebble.Client) -> tuple[bool, str]:
        try:
            return True, driver.run(client, [_PROMTOOL, "check", "config", _CONFIGURATION])
        except driver.CommandFailed as error:
            return False, error.stderr

    return await driver.with_pebble(context, work)
