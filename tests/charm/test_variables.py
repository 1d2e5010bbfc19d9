"""What is hidden in texts: secret values, however a program may show them."""

from nuages.charm.interfaces.database import Database
from nuages.charm.variables import MASK, Variable, mask, secrets
from tests.charm.interfaces.examples import example, parse


def test_password_is_hidden_as_it_stands_in_the_url_and_as_it_was() -> None:
    value = parse(example("postgresql-without-secrets"))
    assert isinstance(value, Database)
    hidden = secrets(value.variables)
    text = mask(
        'cannot connect: user "u" password "p:/%ä", url postgresql://u%40x:p%3A%2F%25%C3%A4@10.1.2.3:5432', hidden
    )
    assert "p:/%ä" not in text
    assert "p%3A%2F%25%C3%A4" not in text


def test_only_secrets_are_hidden() -> None:
    hidden = secrets(
        [Variable("A", "pass word", "x", secret=True), Variable("B", "plain", "x"), Variable("C", "", "x", True)]
    )
    assert mask("pass word, plain", hidden) == f"{MASK}, plain"
    assert hidden == ("pass word",)
