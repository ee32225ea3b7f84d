"""Splits a formula into tokens that know their place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hiermod.errors import FormulaError

MAX_LENGTH = 20_000
SYMBOLS = ("%in%", "||", "**", "~", "+", "-", "*", "/", ":", "|", "(", ")", ",", "^", "[", "]", "=")
SPELLED = {"**": "^"}
NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.])", re.ASCII)
NAME = re.compile(r"(?:[^\W\d]|\.(?![0-9]))[\w.]*")


@dataclass(frozen=True)
class Token:
    """A piece of a formula: its kind (``name``, ``number``, ``text``, a symbol, ``end``), text and place."""

    kind: str
    text: str
    start: int
    end: int
    quoted: bool = False


def tokenize(text: str) -> list[Token]:
    """Split `text` into tokens, the last of kind ``end``.

    Raises
    ------
    FormulaError
        Where a character has no meaning in a formula, or the text is too long.
    """
    if len(text) > MAX_LENGTH:
        raise FormulaError(
            f"This formula has {len(text):,} characters; at most {MAX_LENGTH:,} are read.", text, MAX_LENGTH
        )
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        token = _token_at(text, place)
        tokens.append(token)
        place = token.end
    return [*tokens, Token("end", "", len(text), len(text))]


def _token_at(text: str, start: int) -> Token:
    if text[start] in "`'\"":
        return _quoted(text, start)
    for symbol in SYMBOLS:
        if text.startswith(symbol, start):
            return Token(SPELLED.get(symbol, symbol), symbol, start, start + len(symbol))
    for kind, pattern in (("number", NUMBER), ("name", NAME)):
        if found := pattern.match(text, start):
            return Token(kind, found.group(), start, found.end())
    raise FormulaError(_unknown(text[start:]), text, start)


def _quoted(text: str, start: int) -> Token:
    """A name between backticks, or a text between quotes."""
    mark = text[start]
    end = text.find(mark, start + 1)
    if mark == "`":
        if end <= start + 1:
            raise FormulaError("This backtick opens a name that is empty or never closed.", text, start)
        return Token("name", text[start + 1 : end], start, end + 1, quoted=True)
    if end < 0:
        raise FormulaError("This quote is never closed.", text, start)
    return Token("text", text[start + 1 : end], start, end + 1, quoted=True)


def _unknown(rest: str) -> str:
    if rest.startswith("%"):
        return "The only operator between percent signs is %in%: x %in% g is x:g."
    if rest[0].isdigit() or rest[0] == ".":
        return "This is not a number, nor a name: names that start with a digit stand between backticks."
    if rest[0] in "<>&!$@;{}":
        return f"The character {rest[0]!r} has no meaning in a formula. Add a column with the result to the data."
    return f"The character {rest[0]!r} has no meaning in a formula."
