"""S3: each field by itself, digits stay digits."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm.interfaces import s3
from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import AUTHORITY, THOROUGH, example, parse, variables
from tests.charm.made import URI

KEYS = {"access-key": "a", "secret-key": "s", "bucket": "b"}


def read(**fields: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return variables(example("s3", bag={**KEYS, **named}))


@pytest.mark.parametrize("missing", KEYS)
def test_what_is_missing_is_named_and_the_rest_is_there_for_an_optional_endpoint(missing: str) -> None:
    bag = {key: value for key, value in KEYS.items() if key != missing}
    value = parse(example("s3", bag=bag))
    assert isinstance(value, NotReady)
    assert value.reason == f"no {missing}"
    assert value.partial is not None
    assert {variable.value for variable in value.partial.variables} == set(bag.values())


def test_endpoint_of_another_name_gives_its_prefix() -> None:
    found = variables(example("s3", endpoint="media-files"))
    assert found["MEDIA_FILES_BUCKET"] == "myapp"
    assert all(name.startswith("MEDIA_FILES_") for name in found)


@pytest.mark.parametrize("bag", [{}, {"lib-version": "1.0"}, {"data": "{}"}])
def test_provider_that_has_said_nothing(bag: dict[str, str]) -> None:
    assert parse(example("s3", bag=bag)) == NotReady("no access-key, secret-key, bucket")


def test_secret_that_cannot_be_read_is_the_reason() -> None:
    value = parse(example("s3", bag={"secret-extra": URI, "bucket": "b"}, secrets={URI: None}))
    assert isinstance(value, NotReady)
    assert value.reason == "its secret cannot be read yet"


def test_chain_and_attributes_do_not_depend_on_each_other() -> None:
    assert "S3_ATTRIBUTES" not in read(tls_ca_chain=json.dumps([AUTHORITY]))
    assert "S3_TLS_CA_CHAIN" not in read(attributes='["a=b"]')
    assert json.loads(read(tls_ca_chain=json.dumps([AUTHORITY]))["S3_TLS_CA_CHAIN"]) == [AUTHORITY]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[]", None), ("", None), ("null", None), ("{}", None), ("[1, null]", None), ("a=b", '["a=b"]'), ('"a"', '["a"]')],
)
def test_list_that_is_none(text: str, expected: str | None) -> None:
    assert read(attributes=text).get("S3_ATTRIBUTES") == expected


@pytest.mark.parametrize(("style", "expected"), [("host", "virtual"), ("path", "path"), ("auto", "auto")])
def test_addressing_style(style: str, expected: str) -> None:
    found = read(s3_uri_style=style)
    assert (found["S3_URI_STYLE"], found["S3_ADDRESSING_STYLE"]) == (style, expected)


def test_value_that_was_encoded_is_decoded_and_digits_are_not_touched() -> None:
    found = read(region='"us-east-1"', path="007", storage_class="null", endpoint='"')
    assert (found["S3_REGION"], found["S3_PATH"], found["S3_ENDPOINT"]) == ("us-east-1", "007", '"')
    assert "S3_STORAGE_CLASS" not in found


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    texts = st.text(min_size=1).filter(lambda text: text != "null" and not text.startswith('"'))
    plain = st.fixed_dictionaries(
        dict.fromkeys(s3.REQUIRED, texts), optional=dict.fromkeys(set(s3.PLAIN) - set(s3.REQUIRED), texts)
    )
    lists = st.dictionaries(st.sampled_from(sorted(s3.LISTS)), st.lists(st.text(min_size=1), min_size=1))

    @settings(max_examples=examples, deadline=None)
    @given(plain, lists, st.booleans())
    def holds(fields: dict[str, str], several: dict[str, list[str]], hidden: bool) -> None:
        bag = {key: value for key, value in fields.items() if not (hidden and key in s3.HIDDEN)}
        bag |= {key: json.dumps(value) for key, value in several.items()} | ({"secret-extra": URI} if hidden else {})
        secret = {key: fields[key] for key in s3.HIDDEN}
        found = variables(example("s3", bag=bag, secrets={URI: secret}))
        assert {key: found[f"S3_{name}"] for key, name in s3.PLAIN.items() if key in fields} == fields
        assert {key: json.loads(found[f"S3_{name}"]) for key, name in s3.LISTS.items() if key in several} == several

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    fields = st.sampled_from([*s3.PLAIN, *s3.LISTS, "secret-extra", "lib-version", "data"])
    words = st.text() | st.sampled_from([URI, "null", "[", "[[]]", '"a', '"a"', "{}", "1", "\ud800", '["\\ud800"]'])

    @settings(max_examples=examples, deadline=None)
    @given(st.dictionaries(fields, words), st.none() | st.dictionaries(fields, words))
    def holds(bag: dict[str, str], secret: dict[str, str] | None) -> None:
        value = s3.parse(example("s3", bag=bag, secrets={URI: secret}))
        known = value.partial if isinstance(value, NotReady) else value
        assert known is None or known.variables or bag

    holds()
