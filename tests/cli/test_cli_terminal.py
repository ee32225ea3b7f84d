"""What the command line does for somebody who looks at a terminal, and not for files and pipes."""

from __future__ import annotations

import io
import sys

import pytest

from hiermod.cli import output

SENTENCE = "There is a 99.3 % chance that the treatment raises the success rate in Canada, by 16 points (4 to 29)."


class Terminal(io.StringIO):
    """Somebody looks."""

    def isatty(self):
        return True


def watched(monkeypatch, **settings):
    """A terminal in the place of stdout; in the test itself, since pytest takes stdout anew after fixtures."""
    shown = Terminal()
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"COLUMNS": "60", "TERM": "xterm", **settings}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", shown)
    return shown


def test_headings_are_bold_on_a_terminal(monkeypatch):
    terminal = watched(monkeypatch)
    output.section("Rates")
    assert terminal.getvalue() == "\n\x1b[1mRates\x1b[0m\n"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_asks_for_none_gets_none(monkeypatch, name, value):
    terminal = watched(monkeypatch, **{name: value})
    output.section("Rates")
    assert terminal.getvalue() == "\nRates\n"


def test_sentences_are_as_wide_as_the_terminal(monkeypatch):
    watched(monkeypatch)
    (text,) = output.wrapped([SENTENCE])
    lines = text.split("\n")
    assert len(lines) == 2
    assert max(map(len, lines)) <= 60
    assert " ".join(line.strip() for line in lines) == SENTENCE


def test_pipes_get_plain_lines(capsys):
    output.section("Rates")
    assert capsys.readouterr().out == "\nRates\n"
    assert output.wrapped([SENTENCE]) == [SENTENCE]
