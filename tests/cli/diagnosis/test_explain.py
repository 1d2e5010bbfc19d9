"""Traps in observations made by hand: what a recording does not hold."""

from dataclasses import replace

import pytest

from nuages.cli.diagnosis.observations import Cookie, Inside, Line, Observations, Raised, Reply, Unit, Visit
from nuages.cli.diagnosis.traps import explain

URL = "http://localhost:8000/"


def visit(role="front", path="", **reply):
    return Visit(role, (Reply(URL + path, **{"status": 200, **reply}),))


def seen(*visits, **facts):
    return Observations("shop", URL, visits=visits or (visit(),), **facts)


def codes(observations):
    return [finding.code for finding in explain(observations)]


@pytest.mark.parametrize(
    ("front", "code"),
    [
        (visit(status=0, failure="connection refused"), "no-answer"),
        (visit(status=404, marks=("no-route",)), "no-route"),
        (visit(status=400), "hosts-refused"),
        (visit(status=301, location="https://localhost:8000/"), "https-redirect"),
        (visit(status=302, location="/again"), "redirect-loop"),
        (visit(status=502), "no-web-server"),
        (visit(status=500), "page-fails"),
    ],
)
def test_no_page_without_a_word_from_inside(front, code):
    (finding,) = explain(seen(front))
    assert (finding.code, finding.severity) == (code, "error")


@pytest.mark.parametrize(
    "front",
    [
        visit(),
        visit(status=404),
        visit(status=403),
        visit(status=302, location="http://sso.example/login"),
        visit(status=302, location="https://shop.example/"),
    ],
)
def test_an_answer_that_is_no_fault(front):
    assert codes(seen(front)) == []


def test_what_keeps_visitors_out_explains_the_other_pages():
    others = (visit("link", "a", status=400), visit("static", "b.css", status=404))
    assert codes(seen(visit(status=400), *others)) == ["hosts-refused"]


def test_400_of_an_allowed_host_is_not_the_hosts_fault():
    assert "hosts-refused" not in codes(seen(visit(status=400), inside=Inside(host_allowed=True)))


def test_hosts_of_another_source_are_shown():
    (finding,) = explain(seen(visit(status=400), inside=Inside(host_allowed=False, hosts=("shop.example.com",))))
    assert "does not come from DJANGO_ALLOWED_HOSTS (shop.example.com)" in finding.why


def test_a_secure_cookie_that_was_sent_is_enough():
    front = Visit("front", (Reply(URL, 200, cookies=(Cookie("sid", secure=True),)),))
    (finding,) = explain(seen(front))
    assert (finding.code, "the cookie sid is Secure" in finding.why) == ("secure-cookies", True)
    assert codes(replace(seen(front), url="https://localhost:8000/")) == []


def test_a_cookie_for_a_parent_domain_is_fine():
    front = Visit("front", (Reply("http://a.shop.test/", 200, cookies=(Cookie("sid", domain="shop.test"),)),))
    observations = Observations("shop", "http://a.shop.test/", visits=(front,))
    assert codes(observations) == []
    assert codes(replace(observations, url="http://b.other.test/")) == ["cookie-domain"]


def test_debug_that_was_asked_for_is_switched_off_by_its_option():
    observations = seen(visit("missing", "x", status=404, marks=("debug",)), debug_option=True)
    (finding,) = explain(observations)
    assert (finding.code, finding.fix) == ("debug-on", "nuages config shop django-debug=false")
    (finding,) = explain(replace(observations, debug_option=False))
    assert 'os.environ.get("DJANGO_DEBUG", "false")' in finding.fix


REFUSED = Raised("redis.exceptions.ConnectionError", "Error 111 connecting to localhost:6379. Connection refused.", "/")


@pytest.mark.parametrize(
    ("endpoints", "related", "why", "fix"),
    [
        ((), (), "no endpoint for Redis", "below `requires:`"),
        (
            (("cache", "redis"),),
            (),
            "cache is not related",
            "nuages deploy redis-k8s, then nuages integrate shop:cache redis-k8s:redis",
        ),
        ((("cache", "redis"),), ("cache",), "cache is related, but the settings do not use it", "CACHE_DB_CONNECT"),
        ((("valkey", "valkey_client"),), ("valkey",), "valkey is related", "VALKEY_DB_CONNECT_STRING"),
    ],
)
def test_the_mend_of_a_missing_server_goes_by_what_the_charm_has(endpoints, related, why, fix):
    facts = {"inside": Inside(raised=(REFUSED,)), "endpoints": endpoints, "related": related}
    (finding,) = explain(seen(visit(status=500), **facts))
    assert finding.code == "not-related"
    assert why in finding.why
    assert fix in finding.fix


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (Raised("kombu.exceptions.OperationalError", "[Errno 111] Connection refused", "/"), "RabbitMQ"),
        (
            Raised(
                "django.db.utils.OperationalError",
                'connection to server at "localhost" (::1), port 5432 failed: Connection refused',
                "/",
            ),
            "PostgreSQL is not at localhost:5432",
        ),
        (Raised("builtins.X", "", "/", causes=(("ConnectionRefusedError", "[Errno 111]"),)), "a server is not where"),
        (
            Raised(
                "redis.exceptions.ConnectionError", "Error -2 connecting to cache:6379. Name or service not known", "/"
            ),
            "Redis is not at cache:6379",
        ),
    ],
)
def test_servers_are_told_by_port_and_by_the_client_that_complains(raised, words):
    (finding,) = explain(seen(visit(status=500), inside=Inside(raised=(raised,))))
    assert words in finding.why


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("No module named 'redis'", "`redis`"),
        ("No module named 'environ'", "`django-environ`"),
        ("No module named 'some_thing.part'", "`some-thing`"),
        ("Error loading psycopg2 or psycopg module", "`psycopg2-binary`"),
    ],
)
def test_a_missing_module_is_named_with_its_package(text, package):
    raised = Raised("ModuleNotFoundError", text, "/")
    (finding,) = explain(seen(visit(status=500), inside=Inside(raised=(raised,))))
    assert (finding.code, package in finding.fix) == ("not-installed", True)


def test_a_module_of_the_project_is_no_package():
    raised = Raised("ModuleNotFoundError", "No module named 'shop.views'", "/", file="shop/urls.py", line=3)
    (finding,) = explain(seen(visit(status=500), inside=Inside(raised=(raised,)), packages=("shop",)))
    assert (finding.code, finding.place) == ("page-fails", "shop/urls.py:3")


def test_an_application_that_does_not_load_is_told_instead_of_its_502():
    raised = Raised("KeyError", "'EMAIL_HOST'", file="shop/settings.py", line=9)
    units = (Unit("shop/0", "waiting", "service django does not answer"),)
    (finding,) = explain(seen(visit(status=502), inside=Inside(raised=(raised,)), units=units))
    assert (finding.code, finding.severity, finding.place) == ("not-loading", "error", "shop/settings.py:9")


def test_a_worker_s_traceback_is_read_from_its_log():
    lines = (
        Line("mail-worker", "Traceback (most recent call last):"),
        Line("mail-worker", '  File "/django/app/shop/tasks.py", line 12, in send'),
        Line("mail-worker", '  File "/lib/python3/site-packages/x.py", line 1, in y'),
        Line("mail-worker", "KeyError: 'EMAIL_HOST'"),
        Line("django", "ValueError: of the web server, which is asked from inside"),
    )
    (finding,) = explain(seen(lines=lines))
    assert (finding.code, finding.severity, finding.place) == ("service-fails", "warning", "shop/tasks.py:12")


def test_celery_s_line_of_a_lost_broker_is_understood():
    text = (
        "[2026-01-02 03:04:05,678: ERROR/MainProcess] consumer: Cannot connect to"
        " amqp://guest:**@127.0.0.1:5672//: [Errno 111] Connection refused."
    )
    (finding,) = explain(seen(lines=(Line("mail-worker", text),)))
    assert finding.code == "not-related"
    assert "RabbitMQ is not at localhost:5672, which is the application's own container" in finding.why


def test_a_broker_that_nobody_uses_is_no_fault():
    inside = Inside(unreachable=(("CELERY_BROKER_URL", "amqp://localhost:5672"),))
    assert codes(seen(inside=inside)) == []
    assert codes(seen(inside=inside, services=("mail-worker",))) == ["not-related"]


def test_the_log_speaks_when_nothing_can_be_asked_inside():
    lines = (Line("django", 'django.db.utils.ProgrammingError: relation "shop_item" does not exist'),)
    (finding,) = explain(seen(visit(status=500), lines=lines))
    assert (finding.code, "no shop_item" in finding.why) == ("not-migrated", True)


def test_the_related_database_in_use_is_fine():
    facts = {"endpoints": (("postgresql", "postgresql_client"),), "related": ("postgresql",)}
    assert codes(seen(inside=Inside(vendor="postgresql"), **facts)) == []
    assert codes(seen(inside=Inside(vendor="sqlite"), **facts)) == ["wrong-database"]
    assert codes(seen(inside=Inside(vendor="sqlite"), endpoints=facts["endpoints"])) == []


def test_an_application_of_no_units_is_scaled_up():
    (finding,) = explain(seen(visit(status=503), units=()))
    assert (finding.why, finding.fix) == ("it has no unit", "nuages scale-application shop 1")


def test_a_blocked_unit_is_named():
    (finding,) = explain(seen(units=(Unit("shop/0", "blocked", "missing: postgresql"),)))
    assert (finding.code, finding.why) == ("unit", "missing: postgresql")
    message = "postgresql is not integrated: juju integrate shop:postgresql postgresql-k8s"
    (finding,) = explain(seen(units=(Unit("shop/0", "blocked", message),)))
    assert finding.fix.startswith("nuages integrate shop:postgresql postgresql-k8s; ")


def test_a_setting_without_a_place_is_looked_for_in_the_settings_module():
    front = visit(status=301, location="https://localhost:8000/")
    (finding,) = explain(seen(front, places=(("", "shop/settings.py", 0), ("DEBUG", "shop/settings.py", 4))))
    assert finding.place == "shop/settings.py"
