from __future__ import annotations

from nuages.services.postgresql import extensions


def test_options_name_extensions() -> None:
    config = {"plugin_hstore_enable": True, "plugin_citext_enable": False}
    assert extensions.wanted(config) == {"hstore"}


def test_no_option_is_no_script() -> None:
    assert extensions.script({"notes"}, [], []) == ""


def test_what_an_option_put_there_goes_with_it_and_nothing_else() -> None:
    lines = extensions.script({"notes"}, {"hstore"}, {"citext", "hstore"}).splitlines()
    assert [line for line in lines if "EXTENSION" in line] == [
        'CREATE EXTENSION IF NOT EXISTS "hstore" CASCADE;',
        'DROP EXTENSION IF EXISTS "citext";',
    ]
