"""self-signed-certificates, built in: a certificate authority for the model, whose key never leaves its pod."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ops.pebble

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver
from nuages.services.certificates import answer

CONTAINER = "certificates"
DATA = "/var/lib/certificates"
HOME = f"{DATA}/authority"
_SCRIPT = "/opt/nuages/authority.sh"
_NAMES = {
    "ca-common-name": ("CN", "common name"),
    "ca-organization": ("O", "organization"),
    "ca-organizational-unit": ("OU", "organizational unit"),
    "ca-email-address": ("emailAddress", "e-mail address"),
    "ca-country-name": ("C", "country, as two letters"),
    "ca-state-or-province-name": ("ST", "state or province"),
    "ca-locality-name": ("L", "locality"),
}
_DAY = 86400


class SelfSignedCertificates:
    """The application as the engine sees it."""

    name = "self-signed-certificates"
    summary = "A certificate authority: signs what applications of the model ask for"
    version = "1"
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Signs certificates by openssl; speaks what Charmhub's self-signed-certificates speaks.",
        "containers": {CONTAINER: {}},
        "provides": {answer.ENDPOINT: {"interface": "tls-certificates"}},
    }
    options: Mapping[str, Any] = {
        **{
            option: {"type": "string", "description": f"The authority's {words}. A change makes a new authority."}
            for option, (_, words) in _NAMES.items()
        },
        "root-ca-validity": {"type": "int", "default": 3650, "description": "Days for which the authority is valid."},
        "certificate-validity": {"type": "int", "default": 90, "description": "Days for which certificates are valid."},
    }
    actions: Mapping[str, Any] = {
        "get-ca-certificate": {"description": "Show the authority's certificate, for a browser or a client to trust."},
        "get-issued-certificates": {"description": "Show the certificates in force."},
        "rotate-private-key": {"description": "Make a new authority, and every certificate anew."},
    }
    programs: tuple[str, ...] = ()
    volumes: Mapping[str, str] = {"authority": DATA}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        root = driver.write_root(__package__ or "", directory, {"authority.sh": _SCRIPT})
        return Image(root=root, environment={"PATH": driver.SYSTEM_PATH})

    async def hook(self, context: Context) -> None:
        """Sign what the relations ask for."""
        if context.hook in ("stop", "remove") or context.leaving:
            context.set_status("maintenance", "stopping")
            return
        if not driver.serves(context):
            context.set_status("active", "standing by")
            return
        try:
            await _serve(context)
        except driver.NotReachable:
            context.set_status("waiting", "waiting for the container")
        except driver.Refused as error:
            context.set_status("blocked", str(error))
        else:
            context.set_status("active", "")

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        if name == "get-issued-certificates":
            issued = [
                certificate.certificate
                for relation in context.relations(answer.ENDPOINT)
                for certificate in answer.answered(relation.local_app()).values()
            ]
            return {"certificates": "\n".join(issued)}
        if name == "rotate-private-key":
            await driver.with_pebble(context, lambda client: _openssl(client, "forget"))
        return {"ca-certificate": await _serve(context)}

    def console(self, context: Context, relation: Relation) -> Console:
        """There is no server to get into."""
        raise driver.ServiceError(
            f"cannot connect to {context.application}: it only signs certificates",
            fix=f"nuages run {context.application}/0 get-ca-certificate",
        )


async def _serve(context: Context) -> str:
    """Have an authority, answer all relations, and return its certificate.

    Raises:
        Refused: an option cannot be.
    """
    subject, days, ca_days = _subject(context.config), _days(context, "certificate-validity"), _days(context, _ROOT)

    def work(client: ops.pebble.Client) -> tuple[str, dict[int, list[answer.Certificate]]]:
        client.make_dir(HOME, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        authority = _openssl(client, "ca", subject, str(ca_days)).strip()
        signed: dict[int, list[answer.Certificate]] = {}
        for relation in context.relations(answer.ENDPOINT):
            bags = [relation.remote_unit(unit) for unit in relation.remote_units]
            before = answer.answered(relation.local_app())
            signed[relation.id] = [
                kept
                if (kept := before.get(request.csr)) and _lasts(client, kept, authority, days)
                # What cannot be signed stays unanswered: the requirer sees that it waits.
                else answer.Certificate(request.csr, _sign(client, request, days), authority)
                for request in answer.requests([relation.remote_app(), *bags])
            ]
        return authority, signed

    authority, signed = await driver.with_pebble(context, work)
    if context.is_leader:
        for relation in context.relations(answer.ENDPOINT):
            driver.give(context, relation, driver.Answer(answer.answer(signed[relation.id])))
    return authority


def _sign(client: ops.pebble.Client, request: answer.Request, days: int) -> str:
    return _openssl(client, "sign", str(days), "TRUE" if request.ca else "FALSE", stdin=request.csr + "\n").strip()


def _lasts(client: ops.pebble.Client, kept: answer.Certificate, authority: str, days: int) -> bool:
    """Tell whether a certificate is of this authority and has a third of its time left."""
    if kept.authority != authority:
        return False
    try:
        _openssl(client, "lasts", str(days * _DAY // 3), stdin=kept.certificate + "\n")
    except driver.Refused:
        return False
    return True


def _openssl(client: ops.pebble.Client, *words: str, stdin: str = "") -> str:
    try:
        return driver.run(client, ["/bin/sh", _SCRIPT, HOME, *words], stdin=stdin)
    except driver.CommandFailed as error:
        raise driver.Refused((error.stderr.strip().splitlines() or ["openssl failed"])[-1]) from None


_ROOT = "root-ca-validity"


def _subject(config: Mapping[str, Any]) -> str:
    """Return the lines of openssl's section for the authority's name.

    Raises:
        Refused: an option has what a name cannot have.
    """
    lines: list[str] = []
    for option, (key, _) in _NAMES.items():
        value = str(config.get(option) or ("nuages" if key == "CN" else ""))
        if not re.fullmatch(r"[^\x00-\x1f\\$#\"]*", value):
            raise driver.Refused(f"{option} has a character that a name cannot have")
        if key == "C" and value and not re.fullmatch("[A-Za-z]{2}", value):
            raise driver.Refused(f"{option} is {value!r}: set it to two letters")
        if value:
            lines.append(f"{key}={value}")
    return "\n".join(lines)


def _days(context: Context, option: str) -> int:
    days = int(context.config.get(option, SelfSignedCertificates.options[option]["default"]))
    if not 0 < days <= 36500:
        raise driver.Refused(f"{option} is {days}: set it to a number of days from 1 to 36500")
    return days


SERVICE = SelfSignedCertificates()
