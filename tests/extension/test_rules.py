"""Every rule: a document that breaks it, and where and how that is told."""

import pytest

from nuages.extension.load import load
from nuages.extension.project import Project
from nuages.extension.rules import check

HEAD = """\
name: notes
type: charm
base: ubuntu@24.04
platforms: {amd64: null}
extensions: [django-framework]
"""
TWO_BASES = "bases: [{name: ubuntu, channel: '22.04'}, {name: ubuntu, channel: '24.04'}]"
MODERN = HEAD.replace("24.04", "26.04")


REST = "summary: s\ndescription: d\n"
"""What every charm needs besides, below everything else so that it moves no line."""


def problems(text, **rest):
    return check(Project(load(text + REST, "charmcraft.yaml"), **rest))


def codes(text, **rest):
    return [(problem.code, problem.line) for problem in problems(text, **rest)]


def test_a_good_document_has_no_problem():
    assert codes(HEAD) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD.replace("type: charm\n", "type: bundle\n"), [("type", 2)]),
        (HEAD.replace("type: charm\n", ""), [("type", 1)]),
        (HEAD + "parts:\n  charm: {plugin: charm}\n", [("charm-part", 7)]),
        (HEAD + "devices: {}\nstorage: {}\nextra-bindings: {}\n", [("refused-key", line) for line in (6, 7, 8)]),
        (HEAD + "assumes: [juju]\n", [("reserved-value", 6)]),
        (HEAD + "containers: {other: {resource: x}}\n", [("reserved-value", 6)]),
        (HEAD + "peers: {cluster: {interface: cluster}}\n", [("reserved-value", 6)]),
        (HEAD + "resources:\n  other: {type: file}\n", [("reserved-value", 6)]),
        (HEAD + "resources:\n  django-app-image: {type: oci-image, description: django application image.}\n", []),
        (HEAD + "resources:\n  django-app-image: {type: oci-image, description: Mine.}\n", [("reserved-value", 6)]),
        (HEAD + "requires:\n  ingress: {interface: ingress}\n", [("contributed-key", 7)]),
        (HEAD + "provides:\n  metrics-endpoint: {interface: prometheus_scrape}\n", [("contributed-key", 7)]),
        (HEAD + "actions:\n  create-superuser: {}\n", [("contributed-key", 7)]),
        (HEAD + "config:\n  options:\n    django-debug: {type: boolean}\n", [("contributed-key", 8)]),
        (HEAD + "config:\n  options:\n    webserver-port: {type: int}\n", [("reserved-prefix", 8)]),
        (HEAD + "config:\n  options:\n    app-name: {type: string}\n", [("dropped-prefix", 8)]),
        (HEAD + "config:\n  options:\n    debug: {type: boolean}\n", [("colliding-variable", 8)]),
        (HEAD + "config:\n  options:\n    base-url: {type: string}\n", [("colliding-variable", 8)]),
        (HEAD + "config:\n  options:\n    a-b: {type: int}\n    a_b: {type: int}\n", [("colliding-variable", 9)]),
        (HEAD + "requires:\n  a-b: {interface: s3}\n  a_b: {interface: s3}\n", [("colliding-variable", 8)]),
        (HEAD + "requires:\n  a-b: {interface: s3}\n  a-c: {interface: s3}\n", []),
        (HEAD + "config:\n  options:\n    csrf-trusted-origins: {type: string}\n", []),
        (HEAD + "config:\n  options:\n    metrics-port: {type: int}\n", []),
        (HEAD + "config:\n  options:\n    x: {type: int, optional: false, default: 0}\n", []),
        (HEAD + "config:\n  options:\n    x: {type: int, optional: false, default: 1}\n", [("required-default", 8)]),
        (HEAD + "config:\n  options:\n    x: {type: integer}\n", [("option", 8)]),
        (HEAD + "config:\n  options:\n    x: {}\n", [("option", 8)]),
        (HEAD + "config:\n  options:\n    x: {type: int, default: yes}\n", [("option", 8)]),
        (HEAD + "config:\n  options:\n    x: {type: string, default: 5}\n", [("option", 8)]),
        (HEAD + "config:\n  options:\n    x: text\n", [("option-entry", 8)]),
        (HEAD + "config: [1]\n", [("not-mapping", 6)]),
        (HEAD + "requires:\n  db: {limit: 1}\n", [("endpoint", 7)]),
        (HEAD + "requires:\n  db: {interface: mysql_client, limit: 0}\n", [("endpoint", 7)]),
        (HEAD + "requires:\n  db: {interface: a}\nprovides:\n  db: {interface: b}\n", [("endpoint", 9)]),
        (HEAD + "requires:\n  o: {interface: oauth}\nconfig:\n  options:\n    o-scopes: {type: string}\n", []),
        (HEAD.replace("ubuntu@24.04", "ubuntu@20.04"), [("base", 3)]),
        (HEAD.replace("base: ubuntu@24.04\n", ""), [("base", 1)]),
        (HEAD.replace("base: ubuntu@24.04", "base: 24.04"), [("base", 3)]),
        (HEAD.replace("base: ubuntu@24.04", "bases: [{name: ubuntu, channel: 22.04}]"), [("bases", 3)]),
        (HEAD.replace("base: ubuntu@24.04", TWO_BASES), [("base", 3), ("bases", 3)]),
        (HEAD.replace("[django-framework]", "[flask-framework]"), [("unknown-extension", 5)]),
        (MODERN, [("experimental", 3)]),
        (HEAD + "requries: {}\n", [("unknown-key", 6)]),
        (HEAD.replace("name: notes", "name: My Notes"), [("name", 1)]),
        (HEAD.replace("{amd64: null}", "{amd64: {build-on: 5}}"), [("platform", 4)]),
        (HEAD.replace("{amd64: null}", "{amd64: {on: x}}").replace("on:", "'on':"), [("platform", 4), ("platform", 4)]),
    ],
)  # fmt: skip
def test_rule(text, expected):
    assert codes(text) == expected


def test_26_04_with_the_flag():
    assert codes(MODERN, experimental=True) == []
    text = MODERN + "config:\n  options:\n    metrics-port: {type: int}\n    app-secret-key: {type: secret}\n"
    assert codes(text, experimental=True) == [("colliding-variable", 8), ("contributed-key", 9)]


def test_an_unknown_word_names_the_nearest():
    [problem] = problems(HEAD + "requries: {}\n")
    assert "did you mean requires?" in problem.why
    [problem] = problems(HEAD.replace("[django-framework]", "[djagno-framework]"))
    assert "did you mean django-framework?" in problem.why


def test_another_spelling_of_a_key_is_named():
    [problem] = problems(HEAD + "charm_user: root\n")
    assert (problem.code, problem.line) == ("unknown-key", 6)
    assert "did you mean charm-user?" in problem.why


@pytest.mark.parametrize(
    ("text", "modern", "expected"),
    [
        ("framework_logging_format: json\n", False, []),
        ("port: 80\n", False, [("paas-key", 1)]),
        ("port: 80\nmetrics-path: /m\nmetrics-port: 9000\n", True, []),
        ("port: 70000\nmetrics-port: '1'\nmetrics-path: m\n", True, [("paas-config", line) for line in (1, 2, 3)]),
        ("promtheus: {}\n", False, [("paas-key", 1)]),
        ("framework_logging_format: xml\n", False, [("paas-key", 1)]),
    ],
)
def test_paas_config(text, modern, expected):
    paas = load(text, "paas-config.yaml")
    assert codes(MODERN if modern else HEAD, paas_config=paas, experimental=True) == expected


def test_cos_custom():
    names = (("grafana_dashboards", True), ("dashboards", True), ("loki_alert_rules", False))
    found = problems(HEAD, cos_custom=names)
    assert [problem.file for problem in found] == ["cos_custom/dashboards", "cos_custom/loki_alert_rules"]
    assert all("prometheus_alert_rules" in problem.fix for problem in found)


def test_without_the_extension_only_charmcrafts_rules_count():
    text = "name: other\ntype: charm\nbase: ubuntu@20.04\nplatforms: {amd64: null}\ndevices: {}\n"
    assert codes(text) == [("missing-key", 1)]
    assert codes(text + "parts: {charm: {plugin: charm}}\n") == []
