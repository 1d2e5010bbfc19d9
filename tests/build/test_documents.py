"""The documents of a charm, from the expanded charmcraft.yaml."""

import pytest

from nuages.build import documents
from nuages.contract.bases import BY_NAME
from nuages.extension.expand import expand
from nuages.extension.load import load
from nuages.extension.project import Project

JAMMY = BY_NAME["ubuntu@22.04"]


def expanded(text):
    return expand(Project(load(text, "charmcraft.yaml")))


REST = "summary: s\ndescription: d\nparts: {charm: {plugin: charm, source: .}}\n"
"""What charmcraft wants of every charm."""


def test_links_and_title():
    text = (
        "name: a\ntype: charm\ntitle: Aa\nsubordinate: false\nterms: [t]\n"
        "links: {contact: me, documentation: 'https://d/', issues: 'https://i/', source: ['https://s/'], "
        "website: 'https://w/'}\n" + REST + "base: ubuntu@22.04\nplatforms: {amd64: null}\n"
    )
    metadata = documents.metadata(expanded(text))
    assert metadata == {
        "name": "a",
        "summary": "s",
        "description": "d",
        "subordinate": False,
        "terms": ["t"],
        "display-name": "Aa",
        "maintainers": ["me"],
        "docs": "https://d/",
        "issues": "https://i/",
        "source": ["https://s/"],
        "website": "https://w/",
    }


@pytest.mark.parametrize(
    ("platforms", "architectures", "name"),
    [
        ("base: ubuntu@22.04\nplatforms: {amd64: null}\n", ["amd64"], "a_amd64.charm"),
        ("base: ubuntu@22.04\nplatforms: {amd64: null, arm64: null}\n", ["amd64", "arm64"], "a_amd64-arm64.charm"),
        (
            "base: ubuntu@22.04\nplatforms: {everywhere: {build-on: amd64, build-for: [all]}}\n",
            ["all"],
            "a_everywhere.charm",
        ),
        ("platforms: {'ubuntu@22.04:amd64': null}\n", ["amd64"], "a_ubuntu-22.04-amd64.charm"),
        ("bases: [{name: ubuntu, channel: '22.04'}]\n", ["amd64"], "a_ubuntu-22.04-amd64.charm"),
        (
            "bases: [{name: ubuntu, channel: '22.04', architectures: [arm64]}]\n",
            ["arm64"],
            "a_ubuntu-22.04-arm64.charm",
        ),
    ],
)
def test_architectures_and_file_name(platforms, architectures, name):
    document = expanded("name: a\ntype: charm\n" + REST + platforms)
    declared = documents.platforms(document, JAMMY)
    assert documents.architectures(declared) == architectures
    manifest = documents.manifest(JAMMY, architectures, {"language": "python"})
    assert manifest["bases"] == [{"name": "ubuntu", "channel": "22.04", "architectures": architectures}]
    assert manifest["analysis"] == {"attributes": [{"name": "language", "result": "python"}]}
    assert documents.file_name(document, declared) == name
