"""Splits a formula into tokens that know their place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hiermod.errors import FormulaError

MAX_LENGTH = 20_000
SYMBOLS = ("||", "~", "+", "-", "*", "/", ":", "|", "(", ")", ",")
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?![\w.])", re.ASCII)
NAME = re.compile(r"(?:[^\W\d]|\.(?![0-9]))[\w.]*")


@dataclass(frozen=True)
class Token:
    """A piece of a formula: its kind (``name``, ``number``, a symbol, ``end``), text and place."""

    kind: str
    text: str
    start: int
    end: int


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
    if text[start] == "`":
        end = text.find("`", start + 1)
        if end <= start + 1:
            raise FormulaError("This backtick opens a name that is empty or never closed.", text, start)
        return Token("name", text[start + 1 : end], start, end + 1)
    if text.startswith("**", start):
        raise FormulaError(_unknown("^"), text, start, start + 2)
    for symbol in SYMBOLS:
        if text.startswith(symbol, start):
            return Token(symbol, symbol, start, start + len(symbol))
    for kind, pattern in (("number", NUMBER), ("name", NAME)):
        if found := pattern.match(text, start):
            return Token(kind, found.group(), start, found.end())
    raise FormulaError(_unknown(text[start:]), text, start)


def _unknown(rest: str) -> str:
    if rest.startswith("%"):
        return "The operator %in% is not read. Write the product itself: x:g."
    if rest.startswith("^"):
        return "Powers are not read. Write the products out: a + b + a:b."
    if rest.startswith("."):
        return "A number cannot stand here."
    if rest[0] in "'\"":
        return "Quotes have no meaning here. Put a column name with spaces between backticks: `my column`."
    if rest[0] == "=":
        return "A formula has '~' between response and terms, not '='."
    return f"The character {rest[0]!r} has no meaning in a formula."
