"""The SQL between what there is and what there should be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nuages.services.mysql import users
from nuages.services.mysql.users import Existing, User

OLD, NEW = users.hashed("old"), users.hashed("new")
NOTES = User("relation-3_x", (NEW,), "my_notes")


def test_a_hash_is_what_the_server_makes_itself() -> None:
    assert users.hashed("password") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"  # SELECT PASSWORD('password')


def test_a_relations_user_its_database_and_its_rights_on_that_one_only() -> None:
    assert users.script([NOTES], Existing(), {NOTES.name}) == (
        "CREATE DATABASE `my_notes`;\n"
        "CREATE USER 'relation-3_x'@'%' IDENTIFIED VIA mysql_native_password USING 'invalid';\n"
        "GRANT ALL PRIVILEGES ON `my\\_notes`.* TO 'relation-3_x'@'%';\n"
        f"ALTER USER 'relation-3_x'@'%' IDENTIFIED VIA mysql_native_password USING '{NEW}';\n"
    )


def test_nothing_is_done_twice() -> None:
    printed = (
        f'user\trelation-3_x\t{{"access":0,"plugin":"mysql_native_password","authentication_string":"{NEW}"}}\n'
        "grant\trelation-3_x\tmy\\\\_notes\n"
        "database\tmy_notes\t\n"
        "version\t10.11.19-MariaDB\t\n"
    )
    existing = Existing.parse(printed)
    assert existing.version == "10.11.19-MariaDB"
    assert users.script([NOTES], existing, {NOTES.name}) == ""


def test_while_a_password_changes_both_let_in() -> None:
    existing = Existing(
        {NOTES.name: frozenset({OLD})}, frozenset({(NOTES.name, "my\\_notes")}), frozenset({"my_notes"})
    )
    both = User(NOTES.name, (NEW, OLD), NOTES.database)
    assert users.script([both], existing, {NOTES.name}) == (
        f"ALTER USER 'relation-3_x'@'%' IDENTIFIED VIA mysql_native_password USING '{NEW}' "
        f"OR mysql_native_password USING '{OLD}';\n"
    )


def test_users_of_relations_that_are_gone_go_with_their_sessions_and_no_others() -> None:
    existing = Existing({"relation-9_x": frozenset({OLD}), "_daemon_": frozenset(), "someone": frozenset({OLD})})
    assert users.script([], existing, set()) == "DROP USER 'relation-9_x'@'%';\nKILL USER 'relation-9_x';\n"


def test_root_comes_by_the_socket_only_and_with_a_role_there_is_nothing_besides() -> None:
    root = User(users.ROOT, (NEW,))
    sql = users.script([root], Existing({users.ROOT: frozenset()}), set())
    assert sql.splitlines()[1].startswith("ALTER USER 'root'@'localhost' IDENTIFIED VIA mysql_native_password USING '*")
    assert sql.endswith(" OR unix_socket;\n")
    router = User("relation-4_x", (NEW,), "any", frozenset({"mysqlrouter"}))
    sql = users.script([router], Existing(), {router.name})
    assert "CREATE DATABASE" not in sql
    assert "GRANT ALL PRIVILEGES ON *.* TO 'relation-4_x'@'%' WITH GRANT OPTION;" in sql


@given(st.text(max_size=20))
def test_any_text_is_one_literal(text: str) -> None:
    quoted = users.literal(text)
    inner = quoted[1:-1].replace("\\\\", "").replace("''", "")
    assert quoted[0] == quoted[-1] == "'"
    assert "'" not in inner and "\\" not in inner
