"""Changes of a formula as R's `update` spells them: ``. ~ . + x`` keeps what the dots stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hiermod.errors import FormulaError
from hiermod.formula.nodes import DOT, Formula, GroupTerm, SingleResponse
from hiermod.formula.parser import parse
from hiermod.formula.reader import Token, tokenize

SIGNS = ("+", "-")


def changed(text: str, old: Formula) -> str:
    """A formula in whose text dots stand for parts of an old one.

    Parameters
    ----------
    text : str
        ``". ~ . + x"``, ``"~ . - x"``, ``". ~ . - (1 | g) + (1 + x | g)"``, ``"log(.) ~ ."``, or a formula
        without dots.
    old : Formula
        What the dots stand for: its response on the left, its terms on the right.

    Raises
    ------
    FormulaError
        If a bar is taken away that is not there, or bars would be multiplied.

    Examples
    --------
    >>> changed(". ~ . + x - (1 | g)", parse("y ~ z + (1 | g) + (1 | h)"))
    'y ~ z + (1 | h) + x'
    """
    tokens = tokenize(text)[:-1]
    waves = [place for place, token in enumerate(tokens) if token.kind == "~"]
    if len(waves) != 1:
        return text  # the parser says what is wrong
    left, right = tokens[: waves[0]], tokens[waves[0] + 1 :]
    return f"{_left(text, left, old)} ~ {_right(text, right, old)}"


def _is_dot(token: Token) -> bool:
    return token.kind == "name" and token.text == DOT and not token.quoted


def _left(text: str, tokens: Sequence[Token], old: Formula) -> str:
    if not tokens or (len(tokens) == 1 and _is_dot(tokens[0])):
        return old.left
    if any(map(_is_dot, tokens)) and not isinstance(old.response, SingleResponse):
        dot = next(filter(_is_dot, tokens))
        raise FormulaError(
            f"The dot stands for the response {old.response}, which no function takes. Write it out.",
            text, dot.start, dot.end,
        )  # fmt: skip
    return _written(text, tokens, str(old.response))


def _right(text: str, tokens: Sequence[Token], old: Formula) -> str:
    """The sum of terms: a dot of its own becomes the old sum, bars that are taken away are looked for in it."""
    bars = list(old.groups)
    taken = []
    items = list(_items(tokens))
    for place, (sign, item) in enumerate(items):
        if sign == "-" and _holds_bar(item):
            taken.append(place)
            for bar in _bars(text, item):
                if bar not in bars:
                    raise FormulaError(
                        f"There is no bar {bar} to take away. There is: {', '.join(map(str, old.groups)) or 'none'}.",
                        text, item[0].start, item[-1].end,
                    )  # fmt: skip
                bars.remove(bar)
    whole = " + ".join([*old.common_part(), *map(str, bars)])
    parts = [
        f"{sign or '+'} {_item(text, sign, item, old, whole)}"
        for place, (sign, item) in enumerate(items)
        if place not in taken
    ]
    return " ".join(parts).removeprefix("+ ")


def _item(text: str, sign: str, item: Sequence[Token], old: Formula, whole: str) -> str:
    if len(item) == 1 and _is_dot(item[0]) and sign != "-":
        return whole
    if any(map(_is_dot, item)) and old.groups:
        dot = next(filter(_is_dot, item))
        raise FormulaError(
            "The dot stands for bars too, which can be added, but not multiplied or taken away together. "
            "Write out the terms.", text, dot.start, dot.end,
        )  # fmt: skip
    common = " + ".join(map(str, old.common)) or "1"
    return _written(text, item, f"({common})")


def _items(tokens: Sequence[Token]) -> Iterator[tuple[str, list[Token]]]:
    """The signed items of a sum, split outside of brackets."""
    sign, depth = "", 0
    item: list[Token] = []
    for token in tokens:
        depth += (token.kind in ("(", "[")) - (token.kind in (")", "]"))
        if depth == 0 and token.kind in SIGNS and (item or not sign):
            if item:
                yield sign, item
            sign, item = token.kind, []
        else:
            item.append(token)
    if item or sign:
        yield sign, item


def _holds_bar(item: Sequence[Token]) -> bool:
    return bool(item) and item[0].kind == "(" and any(token.kind in ("|", "||") for token in item)


def _bars(text: str, item: Sequence[Token]) -> tuple[GroupTerm, ...]:
    return parse(f"y ~ {text[item[0].start : item[-1].end]}").groups


def _written(text: str, tokens: Sequence[Token], dot: str) -> str:
    """The text of tokens as it was typed, dots replaced."""
    parts, end = [], None
    for token in tokens:
        parts.append(text[end : token.start] if end is not None else "")
        parts.append(dot if _is_dot(token) else text[token.start : token.end])
        end = token.end
    return "".join(parts)
