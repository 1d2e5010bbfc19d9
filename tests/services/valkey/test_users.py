from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from nuages.services.valkey import users
from nuages.services.valkey.users import User


def key(password: str) -> str:
    return "#" + hashlib.sha256(password.encode()).hexdigest()


def test_the_default_user_is_off_unless_it_is_named() -> None:
    assert users.acl([]) == "user default off\n"
    assert users.acl([User("default", ())]) == "user default on nopass ~* &* +@all\n"
    assert users.acl([User("default", ("a",))]) == f"user default on {key('a')} ~* &* +@all\n"


def test_a_requirers_user_has_both_passwords_and_only_its_keys() -> None:
    (_, line) = users.acl([users.client("relation-3-x", ("new", "old"), "notes:*")]).splitlines()
    assert line == (
        f"user relation-3-x on {key('new')} {key('old')} "
        "-@all +@read +@write +@keyspace +@pubsub +@transaction +info +ping +role ~notes:* &notes:*"
    )


def test_the_administrator_may_do_everything_and_the_observer_reads() -> None:
    assert users.system(users.OPERATOR, "x").rules == "~* &* +@all"
    assert "+@all" not in users.system(users.STATS, "x").rules


@given(st.text(min_size=1, max_size=60))
def test_no_password_can_write_a_line_of_its_own(password: str) -> None:
    text = users.acl([User("a", (password.encode(errors="replace").decode(),))])
    assert text.count("\n") == 2
    assert text.splitlines()[1].startswith("user a on #")
