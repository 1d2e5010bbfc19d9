from __future__ import annotations

from nuages.services.postgresql import roles
from nuages.services.postgresql.roles import Existing, ExistingUser, User

NOTES = User("relation_id_3", "v", "notes")


def test_a_first_relation_gets_its_database_owner_and_user() -> None:
    assert roles.script([NOTES], Existing()).splitlines() == [
        'CREATE ROLE "notes_owner" NOLOGIN;',
        'CREATE DATABASE "notes" OWNER "notes_owner";',
        'REVOKE ALL ON DATABASE "notes" FROM PUBLIC;',
        "CREATE ROLE \"relation_id_3\" LOGIN PASSWORD 'v';",
        'GRANT "notes_owner" TO "relation_id_3";',
        "ALTER ROLE \"relation_id_3\" SET role = 'notes_owner';",
    ]


def test_nothing_to_do_is_no_script() -> None:
    existing = Existing(
        {"relation_id_3": ExistingUser("v", owners=("notes_owner",), acts_as="notes_owner")},
        frozenset({"notes_owner"}),
        {"notes": ("notes_owner", False), "postgres": ("postgres", True)},
    )
    assert roles.script([NOTES], existing) == ""
    assert roles.removals([NOTES], existing, [3]) == []


def test_a_half_made_database_is_finished() -> None:
    existing = Existing(owners=frozenset({"notes_owner"}), databases={"notes": ("notes_owner", True)})
    lines = roles.script([NOTES], existing).splitlines()
    assert lines[0] == 'REVOKE ALL ON DATABASE "notes" FROM PUBLIC;'


def test_a_changed_password_is_set() -> None:
    existing = Existing(
        {"relation_id_3": ExistingUser("old", owners=("notes_owner",), acts_as="notes_owner")},
        frozenset({"notes_owner"}),
        {"notes": ("notes_owner", False)},
    )
    assert roles.script([NOTES], existing) == "ALTER ROLE \"relation_id_3\" LOGIN PASSWORD 'v';\n"


def test_a_user_with_attributes_stays_itself_to_use_them() -> None:
    script = roles.script([User("relation_id_3", "v", "notes", frozenset({"CREATEDB"}))], Existing())
    assert "LOGIN PASSWORD 'v' CREATEDB;" in script
    assert "SET role" not in script


def test_the_user_of_a_gone_relation_leaves_its_things_to_the_owner() -> None:
    existing = Existing(
        {
            "operator": ExistingUser("o"),
            "relation_id_3": ExistingUser("v", owners=("notes_owner",), databases=("notes", "it's")),
        }
    )
    (script,) = roles.removals([], existing, [])
    assert script.splitlines() == [
        'ALTER ROLE "relation_id_3" NOLOGIN;',
        "DO $$BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'relation_id_3'; END$$;",
        "\\connect \"dbname='notes'\"",
        "SET lock_timeout = '5s';",
        'REASSIGN OWNED BY "relation_id_3" TO "notes_owner";',
        'DROP OWNED BY "relation_id_3";',
        "\\connect \"dbname='it\\'s'\"",
        "SET lock_timeout = '5s';",
        'REASSIGN OWNED BY "relation_id_3" TO "notes_owner";',
        'DROP OWNED BY "relation_id_3";',
        "\\connect \"dbname='postgres'\"",
        "SET lock_timeout = '5s';",
        'REASSIGN OWNED BY "relation_id_3" TO "notes_owner";',
        'DROP OWNED BY "relation_id_3";',
        'DROP ROLE "relation_id_3";',
    ]


def test_the_user_of_a_live_relation_stays_even_when_nothing_is_wanted_of_it() -> None:
    existing = Existing({"relation_id_3": ExistingUser("v")})
    assert roles.removals([], existing, [3]) == []


def test_a_verifier_is_postgresqls_and_tells_passwords_and_users_apart() -> None:
    first = roles.verifier("relation_id_3", "secret")
    assert first.startswith("SCRAM-SHA-256$4096:")
    assert first == roles.verifier("relation_id_3", "secret")
    assert len({first, roles.verifier("relation_id_3", "Secret"), roles.verifier("relation_id_4", "secret")}) == 3
    assert "secret" not in first


def test_a_user_that_a_password_change_replaced_goes_when_it_is_no_longer_wanted() -> None:
    new = User("relation_id_3_b", "v", "notes")
    existing = Existing({name: ExistingUser("v", owners=("notes_owner",)) for name in ("relation_id_3", new.name)})
    (script,) = roles.removals([new], existing, [3])
    assert script.endswith('DROP ROLE "relation_id_3";\n')
    assert roles.removals([new, User("relation_id_3", "v", "notes")], existing, [3]) == []
