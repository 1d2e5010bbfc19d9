from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.services.driver import ServiceError
from nuages.services.rabbitmq import server, users
from nuages.services.rabbitmq.users import Existing, User

SALT = b"salt"
HASH = users._hashed("pw", SALT)  # what the broker keeps
EMPTY = Existing({}, frozenset({"/"}), frozenset(), 50)


def existing(
    *rows: tuple[str, str], vhosts: tuple[str, ...] = ("/",), may: tuple[tuple[str, str], ...] = ()
) -> Existing:
    found = {name: users.Account(HASH, (tag,) if tag else ()) for name, tag in rows}
    return Existing(found, frozenset(vhosts), frozenset(may), 50)


def script(wanted: list[User], found: Existing) -> str:
    return users.script(wanted, found, disk=50, salt=SALT)


def test_a_user_is_made_with_its_virtual_host_and_without_its_password() -> None:
    said = script([User("notes", "pw", ("jobs",), "relation-3")], EMPTY)
    assert said == (
        "try\n"
        'ok = rabbit_vhost:add(<<106,111,98,115>>, <<"nuages">>),\n'
        "rabbit_auth_backend_internal:put_user(#{name => <<110,111,116,101,115>>, "
        'password_hash => <<"c2FsdCG67ZSbcWxJy/fY/nlBLx3BBHRWUKMgga4L4Llnrrfz">>, '
        'tags => <<114,101,108,97,116,105,111,110,45,51>>}, <<"nuages">>),\n'
        "ok = rabbit_auth_backend_internal:set_permissions(<<110,111,116,101,115>>, <<106,111,98,115>>, "
        '<<".*">>, <<".*">>, <<".*">>, <<"nuages">>),\n'
        'io:put_chars("done")\n'
        'catch C:R -> io:put_chars(io_lib:format("~p: ~0P", [C, R, 12])) end.\n'
    )


def test_what_is_so_already_needs_nothing() -> None:
    found = existing(("notes", "relation-3"), may=(("notes", "/"),))
    assert script([User("notes", "pw", ("/",), "relation-3")], found) == ""


def test_a_changed_password_changes_the_hash_alone() -> None:
    found = existing(("notes", "relation-3"), may=(("notes", "/"),))
    said = script([User("notes", "new", ("/",), "relation-3")], found)
    assert said.count("rabbit_") == 1
    assert "put_user" in said


def test_users_of_relations_that_are_over_and_guest_go_others_stay() -> None:
    found = existing(("old", "relation-2"), ("guest", "administrator"), ("cron", "account"), ("mine", ""))
    said = script([], found)
    assert said.count("delete_user") == 2
    assert users.binary("old") in said
    assert users.binary("guest") in said


def test_a_user_who_moves_loses_the_other_virtual_host_and_the_host_stays() -> None:
    found = existing(("notes", "relation-3"), vhosts=("/", "jobs"), may=(("notes", "/"),))
    said = script([User("notes", "pw", ("jobs",), "relation-3")], found)
    assert f"clear_permissions({users.binary('notes')}, {users.binary('/')}" in said
    assert "rabbit_vhost" not in said


def test_the_administrator_may_use_every_virtual_host() -> None:
    found = existing(("operator", "administrator"), vhosts=("/", "jobs"), may=(("operator", "/"),))
    said = script([User("operator", "pw", ("/",), users.ADMINISTRATOR)], found)
    assert said.count("set_permissions") == 1
    assert users.binary("jobs") in said


def test_an_account_is_added_beside_all_others() -> None:
    found = existing(("notes", "relation-3"), ("cron", "account"), may=(("cron", "/"),))
    assert users.addition(User("cron", "pw", ("/",), "account"), found, salt=SALT) == ""
    said = users.addition(User("cron", "pw", ("jobs",), "account"), found, salt=SALT)
    assert "delete_user" not in said
    assert "clear_permissions" not in said
    assert "set_permissions" in said


def test_another_limit_of_the_disk() -> None:
    assert "set_disk_free_limit(60)" in users.script([], EMPTY, disk=60, salt=SALT)


def test_passwords_before_the_present_ones() -> None:
    assert users.previous([("a", "pw", 12.7)]) == (
        '{<<97>>, <<"30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4">>, 12}.\n'
    )


def test_the_brokers_answer_is_read() -> None:
    document = {
        "users": [
            {"name": "notes", "tags": ["relation-3"], "hash": "c2FsdCG67ZSbcWxJy/fY/nlBLx3BBHRWUKMgga4L4Llnrrfz"}
        ],
        "vhosts": ["/"],
        "permissions": [["notes", "/"]],
        "disk": 50,
    }
    found = Existing.parse(json.dumps(document))
    assert found == existing(("notes", "relation-3"), may=(("notes", "/"),))
    assert found.users["notes"].admits("pw")
    assert not found.users["notes"].admits("other")


@given(st.one_of(st.text(), st.sampled_from(["{}", '{"users": [{}]}', '{"users": 1, "vhosts": []}', "[]"])))
def test_any_other_answer_is_an_error(text: str) -> None:
    with pytest.raises(ServiceError):
        Existing.parse(text)


@given(st.text())
def test_no_name_can_leave_its_quotes(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    assert set(users.binary(name)) <= set("<>,0123456789")
    assert bytes(int(word) for word in users.binary(name)[2:-2].split(",") if word) == name.encode()


def test_plugins_that_are_needed() -> None:
    text = "{application, rabbit, [{vsn, \"3\"}, {applications, [kernel,\n stdlib, ra , 'osiris']}, {env, []}]}."
    assert server.applications(text) == ("kernel", "stdlib", "ra", "osiris")
    requires = {"rabbit": ("kernel", "ra"), "ra": ("aten",), "aten": ("rabbit",), "mqtt": ("rabbit",)}
    assert server.closure(requires, ("rabbit",)) == ("rabbit", "ra", "aten")
