"""Linear predictors of other parameters beside that of the mean: how they are written, and bars that they share.

``y ~ x; sigma ~ z`` is how hiermod writes them, brms ``bf(y ~ x, sigma ~ z)``, glmmTMB ``y ~ x, dispformula = ~ z``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hiermod.errors import FormulaError
from hiermod.formula.groups import MAX_NESTING
from hiermod.formula.nodes import GroupTerm, ParameterFormula, Term
from hiermod.formula.reader import Reader, Token
from hiermod.formula.terms import OF_BRMS, PlacedBar, TermSet, read_sum

WRAPPERS = ("bf", "brmsformula")
OF_GLMMTMB = {"ziformula": "zi", "dispformula": "disp"}  # what its arguments are formulas of
OPTIONS = ("family", "nl", "center", "cmc", "sparse", "decomp", "loop", "autocor", "unused", "flist")
HOW = "The linear predictor of another parameter reads 'sigma ~ terms'; a ';' stands before it."


@dataclass(frozen=True)
class Right:
    """One right side as it was read: its terms, and its bars with their places."""

    terms: TermSet
    bars: tuple[PlacedBar, ...]

    @property
    def uncentred(self) -> bool:
        """Whether the intercept was written as ``0 + Intercept``."""
        return not self.terms.intercept and OF_BRMS in self.terms.products

    @property
    def intercept(self) -> bool:
        """Whether there is one."""
        return bool(self.terms.intercept) or self.uncentred

    @property
    def common(self) -> tuple[Term, ...]:
        """The common terms, in R's order."""
        return tuple(term for term in self.terms.ordered() if not (self.uncentred and term == OF_BRMS))

    @property
    def groups(self) -> tuple[GroupTerm, ...]:
        """The bars."""
        return tuple(bar for bar, _, _ in self.bars)


def opens(reader: Reader) -> Token | None:
    """Take ``bf(``, brms's bracket around several formulas; None where there is none."""
    first = reader.peek()
    if first.text in WRAPPERS and first.kind == "name" and not first.quoted and reader.peek(1).kind == "(":
        reader.take()
        return reader.open_bracket()
    return None


def read_right(reader: Reader, terms: TermSet) -> Right:
    """Read the sum after a ``~``."""
    bars = read_sum(reader, terms, bars_allowed=True)
    if reader.peek().kind in ("|", "||"):
        reader.fail("A bar needs brackets round it: write (1 | g).")
    if reader.peek().kind == "~":
        reader.fail(
            "A second '~': a formula has one response and one right side, and a ';' before that of a parameter."
        )
    if not terms.intercept and not terms.products and not bars:
        raise FormulaError(
            "There is no term on the right side. Write '~ 1' for an intercept alone.",
            reader.text, max(reader.peek(-1).end - 1, 0),
        )  # fmt: skip
    refuse_twice(bars, reader)
    return Right(terms, tuple(bars))


def read_further(reader: Reader, wrapped: Token | None) -> dict[str, Right]:
    """Read the linear predictors of other parameters up to the end, by the parameters' names."""
    found: dict[str, Right] = {}
    reader.blocks = set()
    while separator := reader.take_if(";", ","):
        if separator.kind == ";" and reader.peek().kind == "end":
            break
        name = reader.peek()
        if separator.kind == "," and reader.peek(1).kind == "=" and name.text in OF_GLMMTMB:
            reader.take()
            reader.take()
            parameter = OF_GLMMTMB[name.text]
        elif separator.kind == "," and not wrapped:
            reader.fail(HOW)
        else:
            parameter = _parameter(reader)
        if parameter in found:
            reader.fail_at(f"The parameter {parameter!r} has two linear predictors. Keep one.", name.start, name.end)
        reader.expect("~", HOW)
        found[parameter] = read_right(reader, TermSet())
        reader.blocks = set()
    if wrapped is not None:
        reader.close_bracket(wrapped)
    return found


def _parameter(reader: Reader) -> str:
    """Take the name of a parameter."""
    name = reader.peek()
    if name.kind != "name":
        reader.fail(HOW)
    if reader.peek(1).kind == "=" and name.text in OPTIONS:
        reader.fail(f"{name.text}= of bf() has no place in a formula. A family is named by family=; leave others out.")
    if reader.peek(1).kind == "=":
        reader.fail(
            f"A parameter is not set to a number in a formula. Give {name.text} a narrow prior instead, "
            f"priors={{{name.text!r}: 'Normal(1, 0.01)'}}."
        )
    if name.text == "mu":
        reader.fail("mu is what 'y ~ terms' is of: write its terms there.")
    reader.take()
    return name.text


def refuse_twice(bars: Sequence[PlacedBar], reader: Reader) -> None:
    """Refuse an effect that stands in two bars of one linear predictor."""
    seen: set[tuple[frozenset[str], object]] = set()
    for bar, start, end in bars:
        for term in bar.terms:
            key = (frozenset(bar.factors), term)
            if key in seen:
                reader.fail_at(
                    f"The effect ({term} | {bar.group}) stands in two bars, so its variance could not be told apart. "
                    "Keep it in one; write (0 + x | g) where the other bar should have no intercept.",
                    start,
                    end,
                )
            seen.add(key)
        if len(bar.factors) > MAX_NESTING:
            reader.fail_at(f"A grouping factor crosses at most {MAX_NESTING} columns.", start, end)


def shared_blocks(rights: Sequence[Right], reader: Reader) -> tuple[str, ...]:
    """The IDs of bars that stand in several linear predictors.

    Raises
    ------
    FormulaError
        If they name other grouping factors in one than in another, or say that nothing is correlated.
    """
    by_part = [_factors(right) for right in rights]
    shared = sorted({block for part in by_part for block in part if sum(block in other for other in by_part) > 1})
    for block in shared:
        first = next(part[block] for part in by_part if block in part)
        for right in rights:
            for bar, start, end in right.bars:
                if bar.block == block and frozenset(bar.factors) not in first:
                    reader.fail_at(
                        f"The ID {block} correlates effects of the same groups, and its grouping factor is {bar.group} "
                        f"here and {_names(rights, block)} before. Give this bar another ID, or the same factor.",
                        start, end,
                    )  # fmt: skip
                if bar.block == block and not bar.correlated:
                    reader.fail_at(
                        f"The ID {block} correlates effects, which '||' says are not. Write one bar, or leave out the "
                        "ID.", start, end,
                    )  # fmt: skip
    return tuple(shared)


def _factors(right: Right) -> dict[str, set[frozenset[str]]]:
    found: dict[str, set[frozenset[str]]] = {}
    for bar in right.groups:
        if bar.block:
            found.setdefault(bar.block, set()).add(frozenset(bar.factors))
    return found


def _names(rights: Sequence[Right], block: str) -> str:
    return next(bar.group for right in rights for bar in right.groups if bar.block == block)


def with_blocks(groups: Sequence[GroupTerm], shared: Sequence[str]) -> tuple[GroupTerm, ...]:
    """The bars with the IDs that mean something: others are names alone."""
    return tuple(bar if bar.block in shared else replace(bar, block="") for bar in groups)


def parameter_formulas(rights: Mapping[str, Right], shared: Sequence[str]) -> tuple[ParameterFormula, ...]:
    """What was read of the other parameters."""
    return tuple(
        ParameterFormula(
            name, right.intercept, right.common, with_blocks(right.groups, shared), tuple(right.terms.offsets),
            tuple(right.terms.removed), right.uncentred,
        )
        for name, right in rights.items()
    )  # fmt: skip
