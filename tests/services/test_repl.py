"""The loop of a console."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from nuages.services import repl


class Did(list[list[str]]):
    def __call__(self, words: Sequence[str]) -> None:
        if words[0] == "fail":
            raise repl.ConsoleError("as told")
        if words[0] == "QUIT":
            raise EOFError
        self.append(list(words))


def loop(monkeypatch: pytest.MonkeyPatch, text: str, *words: str, raw: bool = False) -> tuple[int, Did]:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    did = Did()
    return repl.loop(did, words, prompt="> ", intro="hello", raw=raw), did


def test_words_are_one_command_and_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loop(monkeypatch, "never\n", "SET", "a b", "") == (0, [["SET", "a b", ""]])
    assert loop(monkeypatch, "", "fail")[0] == 1
    assert loop(monkeypatch, "", "QUIT")[0] == 0


def test_lines_are_split_as_a_shell_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert loop(monkeypatch, "set 'a b' c\n\n  \nlast") == (0, [["set", "a b", "c"], ["last"]])
    code, did = loop(monkeypatch, "broken 'quote\nnext\nexit\nnever\n")
    assert (code, did) == (0, [["next"]])
    said = capsys.readouterr()
    assert said.out == ""
    assert "cannot read the line: No closing quotation" in said.err


def test_the_last_code_counts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert loop(monkeypatch, "fail\nok\n")[0] == 0
    assert loop(monkeypatch, "ok\nfail\n")[0] == 1
    assert "cannot fail: as told" in capsys.readouterr().err


def test_raw_lines_are_handed_on_until_the_end_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loop(monkeypatch, "DATA\n\nexit\n'\n.\nQUIT\nnever\n", raw=True) == (
        0,
        [["DATA"], [""], ["exit"], ["'"], ["."]],
    )


class Shop:
    def __init__(self) -> None:
        self.sold: list[tuple[str, ...]] = []

    def do_sell(self, *words: str) -> None:
        self.sold.append(words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sell"], "it is: sell WHAT [PRICE]"),
        (["sell", "a", "1", "2"], "it is: sell WHAT [PRICE]"),
        (["help", "me"], "it is: help"),
        (["sold"], "there is no such command: sell, help"),
    ],
)
def test_words_that_do_not_fit_the_usage_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(repl.ConsoleError) as caught:
        repl.perform(Shop(), "sell WHAT [PRICE]   sells\nhelp  this", words)
    assert str(caught.value) == said


def test_words_that_fit_are_handed_on(capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop()
    for words in (["sell", "a"], ["sell", "a", "1"], ["help"]):
        repl.perform(shop, "sell WHAT [PRICE]   sells\nhelp  this", words)
    assert shop.sold == [("a",), ("a", "1")]
    assert capsys.readouterr().out.splitlines() == ["sell WHAT [PRICE]   sells", "help  this"]
