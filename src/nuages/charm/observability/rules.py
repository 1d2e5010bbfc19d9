"""Alert rules: from files in Prometheus's form to one document with this application's labels and matchers."""

import re
from collections.abc import Iterable, Mapping
from typing import cast

from nuages.charm.facts import Facts
from nuages.charm.observability.topology import PLACEHOLDER, identifier, matchers, rule_labels

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_:]")
Rule = Mapping[str, object]


def document(facts: Facts, files: Mapping[str, object]) -> dict[str, object]:
    """Return the rules of some files (by path) as one document; an empty one without any.

    A file holds one rule, or `groups` of them. Groups are named like `cosl` names them:
    `MODEL_UUID8_APP[_FOLDER]_NAME_rules`, and no two alike, because Prometheus would refuse all of them.
    """
    groups: list[dict[str, object]] = []
    taken: set[str] = set()
    for path, content in files.items():
        folder, _, name = path.rpartition("/")
        for stem, rules in _groups(name.partition(".")[0], content):
            group = _unique(_name(facts, folder, stem), taken)
            groups.append({"name": group, "rules": [_rule(facts, rule) for rule in rules]})
    return {"groups": groups} if groups else {}


def _groups(stem: str, content: object) -> Iterable[tuple[str, list[Rule]]]:
    if not isinstance(content, dict):
        return
    fields = cast("dict[str, object]", content)
    if "groups" not in fields:
        if "expr" in fields:
            yield stem, [fields]
        return
    for group in _mappings(fields["groups"]):
        yield str(group.get("name") or stem), _mappings(group.get("rules"))


def _mappings(value: object) -> list[Rule]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Rule", item) for item in items if isinstance(item, dict)]


def _name(facts: Facts, folder: str, stem: str) -> str:
    name = "_".join(part for part in (identifier(facts), folder, stem) if part)
    return _NOT_IN_NAMES.sub("_", name if name.endswith("_rules") else name + "_rules")


def _unique(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name.removesuffix('_rules')}_{number}_rules"
    taken.add(found)
    return found


def _rule(facts: Facts, rule: Rule) -> dict[str, object]:
    """Return a rule for this application alone: the placeholder replaced, labels added that it has not."""
    given = rule.get("labels")
    known = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    text = PLACEHOLDER.sub(lambda found: matchers(facts) + "," * found.group().endswith(","), str(rule.get("expr", "")))
    return {
        **rule,
        "expr": text,
        "labels": {**known, **{k: v for k, v in rule_labels(facts).items() if k not in known}},
    }
