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


@pytest.fixture
def terminal(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return shown


def test_headings_are_bold_on_a_terminal(terminal):
    output.section("Rates")
    assert terminal.getvalue() == "\n\x1b[1mRates\x1b[0m\n"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_asks_for_none_gets_none(terminal, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    output.section("Rates")
    assert terminal.getvalue() == "\nRates\n"


def test_sentences_are_as_wide_as_the_terminal(terminal):
    (text,) = output.wrapped([SENTENCE])
    lines = text.split("\n")
    assert len(lines) == 2
    assert max(map(len, lines)) <= 60
    assert " ".join(line.strip() for line in lines) == SENTENCE


def test_pipes_get_plain_lines(capsys):
    output.section("Rates")
    assert capsys.readouterr().out == "\nRates\n"
    assert output.wrapped([SENTENCE]) == [SENTENCE]
