"""s3-integrator, built in: a bucket and keys of its own for each relation on a real object store, or one of yours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.errors import NuagesError
from nuages.services import driver, passwords, tls, unit
from nuages.services.s3 import answer, doors, server

_SYNCED = "synced-credentials"
_HIDDEN = "**********"


def _option(kind: str, description: str) -> dict[str, str]:
    return {"type": kind, "description": description}


class S3Integrator:
    """The application as the engine sees it."""

    name = "s3-integrator"
    summary = "An object store: a bucket and keys of its own for each relation"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "A real S3 store on one unit; speaks what Charmhub's s3-integrator speaks.",
        "containers": {server.CONTAINER: {}},
        "provides": {answer.ENDPOINT: {"interface": "s3"}},
        "requires": tls.METADATA,
    }
    options: Mapping[str, Any] = {
        "endpoint": _option("string", "The URL of a store of yours. Unset, objects are in the built-in store."),
        "bucket": _option("string", "One bucket for all. Unset, each relation gets the bucket that it asks for."),
        "region": _option("string", f"The region. The built-in store's is `{answer.DEFAULT_REGION}` when unset."),
        "path": _option("string", "The folder in the bucket, for applications that ask."),
        "attributes": _option("string", "HTTP headers of stored objects, `NAME=VALUE`, between commas."),
        "s3-uri-style": _option("string", "`path` or `host`. The built-in store has `path` only."),
        "storage-class": _option("string", "The storage class of stored objects. The built-in store ignores it."),
        "tls-ca-chain": _option("string", "Certificates of the authority of `endpoint`, PEM, encoded in base64."),
        "s3-api-version": _option("string", "`2` or `4`, the version of signatures. The built-in store has `4` only."),
        "experimental-delete-older-than-days": _option("int", "For applications that ask: when backups expire."),
        "credentials": _option("secret", "A secret with `access-key` and `secret-key` for `endpoint`."),
        "access-key": _option("string", "The access key for `endpoint`, where `credentials` is unset."),
        "secret-key": _option("string", "The secret key for `endpoint`, where `credentials` is unset."),
    }
    actions: Mapping[str, Any] = {
        "sync-s3-credentials": {
            "description": "Set the keys for `endpoint`, where neither `credentials` nor the options name any.",
            "params": {
                "access-key": {"type": "string", "description": "The access key."},
                "secret-key": {"type": "string", "description": "The secret key."},
            },
        },
        "get-s3-connection-info": {"description": "Show what applications are told, secrets masked."},
        "rotate-password": {
            "description": (
                "Give a related application new keys for the built-in store; the old ones serve for another minute. "
                "Only here."
            ),
            "params": passwords.PARAMS,
        },
    }
    programs = ("versitygw",)
    volumes: Mapping[str, str] = {"objects": server.DATA}
    aliases = ("{application}.localhost",)
    """By which the pods of the model find it as the browser does."""

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the store, or none with one of the operator's; make buckets; answer; say how things are."""
        if context.relation and context.relation.breaking and context.is_leader:
            passwords.forget(context, _label(context.relation))
            context.remove_secret(driver.secret_label(context.relation, answer.SECRET))

        async def serve() -> tuple[str, str]:
            return await _serve(context, frozenset())

        await unit.hook(context, serve)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        settings = answer.parse_settings(context.config)
        if name == "sync-s3-credentials":
            return await _sync(context, settings, {key: str(params.get(key) or "") for key in answer.KEYS})
        if name == "get-s3-connection-info":
            return _info(context)
        if not settings.own:
            raise driver.ServiceError(
                f"cannot change the keys: objects are at {settings.texts['endpoint']}",
                fix=f"nuages run {context.unit} sync-s3-credentials access-key=KEY secret-key=SECRET",
            )
        chosen = passwords.chosen(context, answer.ENDPOINT, params.get("application"))
        await _serve(context, chosen)
        return {"changed": ", ".join(sorted(chosen))}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how to get at the relation's bucket."""
        bag = relation.local_app()
        content = context.secret(driver.secret_label(relation, answer.SECRET)) or bag
        if not answer.parse_settings(context.config).own:
            raise driver.ServiceError(
                f"cannot open a console: objects are at {bag.get('endpoint', 'a store of yours')}",
                fix=f"use a client of that store, or: nuages config {context.application} --reset endpoint",
            )
        if not all(content.get(key) for key in answer.KEYS):
            raise driver.no_console(relation)
        access, secret = (content[key] for key in answer.KEYS)
        scheme, port = bag["endpoint"].partition(":")[0], int(bag["endpoint"].rpartition(":")[2])
        return Console(
            url=f"{scheme}://{access}:{secret}@{{address}}/{bag['bucket']}",
            port=port,
            argv=(server.PYTHON, "-s", "-B", server.CONSOLE),
            environment={
                "AWS_ENDPOINT_URL": f"{scheme}://127.0.0.1:{port}",
                **({"AWS_CA_BUNDLE": server.AUTHORITIES} if scheme == "https" else {}),
                "AWS_ACCESS_KEY_ID": access,
                "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_REGION": bag["region"],
                "BUCKET": bag["bucket"],
                "PUBLIC_URL": bag["endpoint"],
            },
        )


def _label(relation: Relation) -> str:
    """Return the label of a relation's secret key, from which its access key comes."""
    return driver.secret_label(relation, "password")


async def _serve(context: Context, rotate: frozenset[str]) -> tuple[str, str]:
    """Answer all relations, with the built-in store running where it serves, and return the unit's status.

    The applications in `rotate` get new keys.

    Raises:
        Refused: an option cannot be.
    """
    settings = answer.parse_settings(context.config)
    problems: list[str] = []
    requests: list[tuple[Relation, answer.Request]] = []
    for relation in context.relations(answer.ENDPOINT):
        try:
            request = answer.parse(relation.remote_application, relation.remote_app(), settings)
            if request and settings.own and not settings.bucket:
                _alone(requests, relation, request)
        except driver.Refused as error:
            problems.append(str(error))
        else:
            if request:
                requests.append((relation, request))
    if settings.own:
        told = await _own(context, settings, requests, rotate)
        if told is None:
            return "waiting", driver.WAITING
    else:
        await driver.stop(context)
        told = settings, dict.fromkeys((relation.id for relation, _ in requests), _given(context))
    if context.is_leader:
        for relation, request in requests:
            driver.give(context, relation, answer.answer(request, told[0], told[1][relation.id]))
    if problems:
        return "blocked", problems[0]
    return "active", "" if settings.own else f"objects go to {settings.texts['endpoint']}"


async def _own(
    context: Context,
    settings: answer.Settings,
    requests: list[tuple[Relation, answer.Request]],
    rotate: frozenset[str],
) -> tuple[answer.Settings, dict[int, answer.Keys]] | None:
    """Have the built-in store serve these requests; return what to say, None while it does not answer."""
    pairs = {
        relation.id: passwords.read(context, _label(relation), change=relation.remote_application in rotate)
        for relation, _ in requests
    }
    buckets: dict[str, list[str]] = {}
    accounts: list[answer.Keys] = []
    for relation, request in requests:
        for word in pairs[relation.id].all:
            accounts.append(answer.keys(word))
            buckets.setdefault(request.bucket, []).append(accounts[-1].access)
    spoken = await doors.spoken(context)
    ports = await doors.published(context, spoken)
    patient = unit.patient(context, bool(requests))
    ready = await server.run(
        context, accounts, buckets, doors=ports, spoken=spoken, region=settings.region, patient=patient
    )
    if not (spoken.secure or context.relations(tls.ENDPOINT)):
        await doors.certificate(context)  # removes what is left of one
    if not ready:
        return None
    if context.is_leader:
        for relation, _ in requests:
            pair = pairs[relation.id]
            passwords.keep(context, _label(relation), pair)
            context.set_secret(_label(relation), {"password": pair.present})  # granted to nobody
    endpoint = f"{ports.scheme}://{doors.host(context)}:{ports.port}"
    told = answer.of_store(settings, endpoint, spoken.chain)
    return told, {number: answer.keys(pair.present) for number, pair in pairs.items()}


def _alone(requests: list[tuple[Relation, answer.Request]], relation: Relation, request: answer.Request) -> None:
    """Refuse a bucket that another application has: its keys would open that one's objects."""
    for other, held in requests:
        if held.bucket == request.bucket and other.remote_application != relation.remote_application:
            raise driver.Refused(
                f"{relation.remote_application} asks for the bucket {request.bucket!r}, "
                f"which is {other.remote_application}'s: set bucket to share one"
            )


def _given(context: Context) -> answer.Keys:
    uri = str(context.config.get("credentials") or "")
    secret: Mapping[str, str] | None = None
    if uri:
        try:
            secret = context.remote_secret(uri)
        except NuagesError:
            raise driver.Refused(
                f"credentials names a secret that cannot be read: grant-secret {uri} {context.application}"
            ) from None
    return answer.given_keys(context.config, secret, context.secret(_SYNCED))


async def _sync(context: Context, settings: answer.Settings, given: Mapping[str, str]) -> Mapping[str, Any]:
    missing = [name for name in answer.KEYS if not given[name]]
    if missing:
        raise driver.ServiceError(
            f"cannot set the keys: {missing[0]} is missing",
            fix=f"nuages run {context.unit} sync-s3-credentials access-key=KEY secret-key=SECRET",
        )
    if settings.own:
        raise driver.ServiceError(
            "cannot set the keys: the built-in store makes its own",
            fix=f"for a store of yours: nuages config {context.application} endpoint=URL",
        )
    context.set_secret(_SYNCED, given)
    status = await _serve(context, frozenset())
    context.set_status(*status)
    return {**given, "secret-key": _HIDDEN}


def _info(context: Context) -> Mapping[str, Any]:
    """Return what the first relation was told; with several, all buckets."""
    bags = [relation.local_app() for relation in context.relations(answer.ENDPOINT)]
    bags = [bag for bag in bags if bag.get("endpoint")]
    if not bags:
        raise driver.ServiceError(
            "cannot show anything: no application is related",
            fix=f"nuages integrate APPLICATION {context.application}",
        )
    hidden = {"version", answer.SECRET}
    shown = {key: value for key, value in bags[0].items() if key not in hidden}
    buckets = dict.fromkeys(bag["bucket"] for bag in bags if bag.get("bucket"))
    return {**shown, "bucket": ", ".join(buckets), **dict.fromkeys(answer.KEYS, _HIDDEN)}


SERVICE = S3Integrator()
