"""Splits a formula into tokens that know their place, and walks over them; errors point into its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from hiermod.errors import FormulaError
from hiermod.formula.expressions import CALL, NAME, Expression

MAX_LENGTH = 20_000
MAX_DEPTH = 40
PREFIX = re.compile(  # R's packages, whose functions stand in the vocabulary or fit models
    r"(?:splines|stats|base|lme4|brms|ordinal|MASS|nnet|rms|mgcv|glmmTMB|rstanarm)::(?=[\w.])"
)
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
SYMBOLS = (
    "%in%",
    "||",
    "**",
    *COMPARISONS,
    "~",
    "+",
    "-",
    "*",
    "/",
    ":",
    "|",
    "(",
    ")",
    ",",
    "^",
    "[",
    "]",
    "{",
    "}",
    "=",
    ";",
)
SPELLED = {"**": "^"}
NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.])", re.ASCII)


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
        if prefix := PREFIX.match(text, place):
            place = prefix.end()
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
        if match := pattern.match(text, start):
            return Token(kind, match.group(), start, match.end())
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
    if rest[0] in "&!$@":
        return f"The character {rest[0]!r} has no meaning in a formula. Add a column with the result to the data."
    return (
        f"The character {rest[0]!r} has no meaning in a formula. A column's name that holds it stands in backticks: "
        f"`a{rest[0]}`."
    )


BLANK = " A column's name that holds a blank stands in backticks: `a b`."


class Reader:
    """Walks the tokens of a formula; remembers where each column was first named, what functions make, `idle` powers.

    `others` are the columns that ``.`` stands for, None where no data is known.
    """

    def __init__(self, text: str, others: tuple[str, ...] | None = None) -> None:
        self.text = text
        self.others = others
        self.places: dict[str, tuple[int, int]] = {}
        self.expressions: dict[str, Expression] = {}
        self._tokens = tokenize(text)
        self._index = 0
        self._depth = 0
        self.blocks: set[tuple[str, tuple[str, ...]]] = set()
        self.idle: list[str] = []
        self.fixed: list[tuple[str, float]] = []

    @property
    def position(self) -> int:
        """How many tokens were taken."""
        return self._index

    def peek(self, ahead: int = 0) -> Token:
        """Return a coming token without taking it."""
        return self._tokens[min(self._index + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Take the next token."""
        token = self.peek()
        self._index += 1
        return token

    def take_if(self, *kinds: str) -> Token | None:
        """Take the next token if it is of one of `kinds`."""
        return self.take() if self.peek().kind in kinds else None

    def expect(self, kind: str, message: str) -> Token:
        """Take the next token, which must be of `kind`."""
        if self.peek().kind != kind:
            self.fail(message)
        return self.take()

    def last(self, name: str) -> Token:
        """The last token of a text, wherever it stands."""
        return next(token for token in reversed(self._tokens) if token.text == name)

    def take_column(self, message: str) -> str:
        """Take a column's name and remember its place; a function call is refused."""
        token = self.peek()
        if token.kind != "name":
            self.fail(message)
        if self.peek(1).kind == "(" and not token.quoted:
            self.fail(f"A function, {token.text}(…), cannot stand here. {message}")
        if token.quoted and (token.text == "." or CALL.fullmatch(token.text)):
            self.fail(f"The column name {token.text!r} looks like a part of a formula. Rename the column.")
        self.take()
        self.places.setdefault(token.text, (token.start, token.end))
        return token.text

    def open_bracket(self) -> Token:
        """Take an opening bracket; nesting is bounded."""
        token = self.expect("(", "An opening bracket was expected here.")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self.fail_at(f"Brackets are nested more than {MAX_DEPTH} deep.", token.start, token.end)
        return token

    def close_bracket(self, opened: Token) -> Token:
        """Take the closing bracket that belongs to `opened`."""
        if self.peek().kind == "end":
            self.fail_at("This bracket is never closed.", opened.start, opened.end)
        self._depth -= 1
        blank = BLANK if self.peek().kind == "name" else ""
        return self.expect(")", f"A closing bracket was expected here.{blank}")

    def bars_inside(self) -> bool:
        """Whether the bracket that comes next holds bars, but none at its own level."""
        return self._level_of_bars() > 1

    def bar_ahead(self, ahead: int = 0) -> bool:
        """Whether the bracket that comes next, or after `ahead` tokens, holds a bar at its own level."""
        return self._level_of_bars(ahead) == 1

    def _level_of_bars(self, ahead: int = 0) -> int:
        """In how many brackets the outermost bar stands, from the one that comes next on; 0 where there is none."""
        depth, outermost = 0, 0
        while (kind := self.peek(ahead).kind) != "end":
            depth += (kind == "(") - (kind == ")")
            if depth == 0:
                return outermost
            if kind in ("|", "||"):
                outermost = min(depth, outermost or depth)
                if outermost == 1:
                    return 1
            ahead += 1
        return 0

    def fail(self, message: str) -> NoReturn:
        """Raise a FormulaError at the next token."""
        token = self.peek()
        if token.kind == "end":
            self.fail_at(message, max(0, len(self.text.rstrip()) - 1), len(self.text.rstrip()))
        self.fail_at(message, token.start, token.end)

    def fail_at(self, message: str, start: int, end: int) -> NoReturn:
        """Raise a FormulaError at a given place."""
        raise FormulaError(message, self.text, start, end)
