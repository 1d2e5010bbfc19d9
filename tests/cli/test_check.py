"""nuages check: exit codes, the four forms, comments that silence, and the mends that it makes itself."""

import json
import os

import pytest
from click.testing import CliRunner

from docs.cases import CHARM, Case
from nuages.cli.check import command
from nuages.cli.root import run

SERVICE = "services:\n  mail-worker:\n    override: replace\n    command: celery -A notes worker -B\n"
REDIS = (
    "requires:\n  cache:{}\n    interface: redis\n    optional: true\n"
    "  postgresql: {{interface: postgresql_client, optional: false}}\n"
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a function that writes the sound project with changes and makes it the current directory."""
    monkeypatch.chdir(tmp_path)

    def write(changes=None):
        Case("", False, changes or {}, {}).write("fires", tmp_path)
        return tmp_path

    return write


def check(*arguments):
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False, standalone_mode=False)


def codes(*arguments):
    document = json.loads(check(*arguments, "--format", "json").stdout)
    return [problem["code"] for problem in document["problems"]]


def test_nothing_to_say(project):
    project()
    result = check()
    assert (result.return_value, result.stdout) == (0, "no problems\n")
    assert result.stderr.startswith("note: charm/charmcraft.yaml:16:3: requires.postgresql: on this machine PostgreSQL")
    (told,) = json.loads(check("--format", "json").stdout)["notes"]
    assert (told["code"], told["severity"], told["line"]) == ("local-server", "note", 16)


def test_warnings_alone_are_no_failure(project):
    project({CHARM: REDIS.format("")})
    result = check()
    assert result.return_value == 0
    assert "charm/charmcraft.yaml:16:3: warning: requires.cache: requirements.txt has no package" in result.stdout
    assert "    fix: add `redis` to it" in result.stdout
    assert result.stdout.endswith("0 errors, 1 warning\n")


def test_everything_is_told_at_once_each_with_its_place(project):
    project({CHARM: REDIS.format("") + "title: N\nstorage: {}\n", "rockcraft.yaml": SERVICE, "notes/migrate.py": "1\n"})
    result = check()
    assert result.return_value == 1
    document = json.loads(check("--format", "json").stdout)
    assert {(row["file"], row["code"]) for row in document["problems"]} == {
        (CHARM, "missing-driver"),
        (CHARM, "refused-key"),
        (CHARM, "text-length"),
        ("notes/migrate.py", "migrate-script"),
        ("rockcraft.yaml", "two-beats"),
        ("rockcraft.yaml", "worker-command"),
    }
    assert all(row["line"] and row["column"] and row["why"] and row["fix"] for row in document["problems"])
    assert (document["errors"], document["warnings"]) == (3, 3)


def test_a_charm_without_a_database_unless_its_own_code_brings_one(project):
    root = project({CHARM: REDIS.format("  # nuages: ignore[missing-driver] by hand").partition("  postgresql")[0]})
    assert codes() == ["no-database"]
    assert check().return_value == 1
    with (root / "charm/src/charm.py").open("a") as source:
        source.write('LAKE = Interface("lake", "lake-k8s", ask, answer, database=True)\n')
    assert codes() == []


def test_exit_codes(project, capfd):
    project()
    assert run(["check"]) == 0
    assert run(["check", "--format", "xml"]) == 2
    project({CHARM: "storage: {}\n"})
    assert run(["check"]) == 1
    assert run(["check", "nowhere"]) == 1
    said = capfd.readouterr().err
    assert "cannot find charmcraft.yaml" in said
    assert "PROJECT_DIR" in said  # `check` has no --project-dir


def test_two_broken_files_are_both_told(project):
    project({CHARM: "storage: {}\n", "rockcraft.yaml": "!whole\nname: [\n"})
    assert set(codes()) == {"refused-key", "yaml"}


def test_a_rockcraft_yaml_that_is_no_file(project):
    root = project()
    (root / "rockcraft.yaml").unlink()
    (root / "rockcraft.yaml").mkdir()
    assert codes() == ["rockcraft-yaml"]


def test_github(project):
    project({CHARM: "title: N\n"})
    assert check("--format", "github").stdout == (
        "::error file=charm/charmcraft.yaml,line=20,col=1,title=text-length::title: has 1 characters, at least 2 are "
        "needed%0Afix: write more\n"
    )


def test_sarif(project):
    project({CHARM: "title: N\n" + REDIS.format("  # nuages: ignore[missing-driver] spoken to by hand")})
    [run_] = json.loads(check("--format", "sarif").stdout)["runs"]
    rules = [rule["id"] for rule in run_["tool"]["driver"]["rules"]]
    found = {rules[result["ruleIndex"]]: result for result in run_["results"]}
    assert found["text-length"]["level"] == "error"
    place = found["text-length"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == CHARM
    assert place["region"]["startLine"] > 1
    assert found["missing-driver"]["suppressions"] == [{"kind": "inSource"}]


@pytest.mark.parametrize(
    "text",
    [
        REDIS.format("  # nuages: ignore[missing-driver] spoken to by hand"),
        REDIS.replace("  cache:", "  # nuages: ignore[missing-driver] spoken to by hand\n\n  cache:").format(""),
    ],
)
def test_a_comment_silences_its_line_or_the_next(project, text):
    project({CHARM: text})
    result = check()
    assert (result.return_value, result.stdout) == (0, "no problems, 1 silenced\n")


def test_a_comment_at_the_top_silences_the_project(project):
    root = project(
        {
            "rockcraft.yaml": SERVICE,
            "requirements.txt": "Django~=5.2\npsycopg[binary]\nwhitenoise\ncelery\n",
            "notes/notes/celery.py": "from celery import Celery\n\napp = Celery('notes')\n",
        }
    )
    assert codes() == ["two-beats"]
    text = (root / CHARM).read_text()
    (root / CHARM).write_text("# nuages: ignore[two-beats] there is one unit and will be one\n" + text)
    assert codes() == []


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        ("ignore[missing-driver]", "without a reason"),
        ("ignore[mising-driver] by hand", "did you mean missing-driver?"),
        ("ignore[rock-name] by hand", "nothing here has the problem rock-name"),
    ],
)
def test_a_comment_that_does_not_count_is_told(project, comment, why):
    project({CHARM: REDIS.format(f"  # nuages: {comment}")})
    result = check()
    assert "[missing-driver]" in result.stdout
    assert "[unused-ignore]" in result.stdout
    assert why in result.stdout


def test_a_comment_for_an_evaluated_code_may_stay(project):
    project({CHARM: "# nuages: ignore[static-manifest] collectstatic runs in a part\n"})
    assert codes() == []


MENDS = {
    "optional-missing": (
        "requires:\n  postgresql:\n    interface: postgresql_client  # the data\n",
        "requires:\n  postgresql:\n    interface: postgresql_client  # the data\n    optional: false\n",
    ),
    "unknown-key": ("titel: Notes\n", "title: Notes\n"),
    "unknown-extension": ("extensions: [django-framwork]  # one\n", "extensions: [django-framework]  # one\n"),
    "type": ("type: charmed\n", "type: charm\n"),
    "refused-key": ("storage:\n  media:\n    type: filesystem\n# end\n", "# end\n"),
    "reserved-value": ("assumes: [juju]\n", ""),
    "charm-part": ("parts:\n  charm:\n    plugin: charm\n", ""),
    "contributed-key": (
        "provides:\n  api:\n    interface: http\n  grafana-dashboard:\n    interface: grafana_dashboard\n",
        "provides:\n  api:\n    interface: http\n",
    ),
    "empty-key": ("terms: []\nrequires:\n", "terms: []\n"),
    "missing-key": ("!without platforms\n", "base: ubuntu@24.04\nplatforms:\n  amd64:\n"),
    "unused-ignore": ("title: Notes  # nuages: ignore[type] because\n", "title: Notes\n"),
    "bases": (
        "!without base\n!without platforms\nbases:\n  - name: ubuntu\n    channel: 22.04  # jammy\n",
        'bases:\n  - name: ubuntu\n    channel: "22.04"  # jammy\n',
    ),
}


@pytest.mark.parametrize("code", MENDS)
def test_fix_mends_and_shows_it(project, code):
    before, after = MENDS[code]
    root = project({CHARM: before})
    assert code in codes()
    result = check("--fix")
    text = (root / CHARM).read_text()
    assert after in text
    assert f"+++ {CHARM}" in result.stderr
    assert code not in codes()
    assert "+++" not in check("--fix").stderr
    assert (root / CHARM).read_text() == text


def test_fix_mends_rockcraft_yaml_too(project):
    service = "services:\n  clean-scheduler:  # weekly\n    command: /bin/python3 manage.py clearsessions\n"
    root = project({"rockcraft.yaml": service})
    assert codes() == ["service-override"]
    assert "+++ rockcraft.yaml" in check("--fix").stderr
    assert "  clean-scheduler:  # weekly\n    override: replace\n    command:" in (root / "rockcraft.yaml").read_text()
    assert codes() == []


def test_fix_leaves_what_a_person_must_decide(project):
    root = project({CHARM: "provides:\n  grafana-dashboard:\n    interface: other\ntitle: N\n"})
    before = (root / CHARM).read_text()
    result = check("--fix")
    assert result.return_value == 1
    assert (root / CHARM).read_text() == before


def test_a_charm_alone_is_checked_too(project):
    root = project()
    os.chdir(root / "charm")
    assert check().stdout == "no problems\n"


def test_a_folder_inside_the_project_is_in_it(project, monkeypatch):
    root = project()
    (root / CHARM).write_text("type: charm\n")
    inside = root / "app" / "templates"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert f"..{os.sep}..{os.sep}charm{os.sep}charmcraft.yaml:" in check().stdout
    monkeypatch.chdir(root / "charm")
    assert check().stdout.startswith("charmcraft.yaml:")
