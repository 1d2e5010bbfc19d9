"""`nuages show-unit`: a unit and the databags of its relations."""

from typing import Any

import click

from nuages.cli.output import format_option, print_document
from nuages.cli.session import model_option, open_session
from nuages.cli.words import unit


@click.command()
@model_option
@format_option("yaml", "json", default="yaml")
@click.option("--endpoint", metavar="NAME", help="Only the relations of this endpoint.")
@click.option("--related-unit", metavar="UNIT", help="Of the related units, only this one.")
@click.option("--app", "app_only", is_flag=True, help="Only the databags of applications.")
@click.argument("units", nargs=-1, required=True)
def command(
    *,
    model: str | None,
    form: str,
    endpoint: str | None,
    related_unit: str | None,
    app_only: bool,
    units: tuple[str, ...],
) -> None:
    """Show UNITS with what their relations say."""
    names = [unit(word) for word in units]
    other = None if related_unit is None else unit(related_unit)
    session = open_session(model)
    shown: dict[str, Any] = {}
    for name in names:
        shown |= session.get("units", *name.split("/"))
    for document in shown.values():
        relations: list[dict[str, Any]] = document.get("relation-info") or []
        kept = [_limit(each, other, app_only) for each in relations if endpoint in (None, each["endpoint"])]
        document.pop("relation-info", None)
        if kept:
            document["relation-info"] = kept
    print_document(shown, form)


def _limit(relation: dict[str, Any], other: str | None, app_only: bool) -> dict[str, Any]:
    if app_only:
        return {key: value for key, value in relation.items() if key not in {"local-unit", "related-units"}}
    related: dict[str, Any] = relation.get("related-units") or {}
    if other is not None:
        related = {name: found for name, found in related.items() if name == other}
    rest = {key: value for key, value in relation.items() if key != "related-units"}
    return {**rest, "related-units": related} if related else rest
