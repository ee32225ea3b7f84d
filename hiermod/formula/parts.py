"""Linear predictors of other parameters beside that of the mean: how they are written, and bars that they share.

``y ~ x; sigma ~ z`` is how hiermod writes them, brms ``bf(y ~ x, sigma ~ z)``, glmmTMB ``y ~ x, dispformula = ~ z``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hiermod.errors import FormulaError
from hiermod.formula.groups import MAX_NESTING
from hiermod.formula.nodes import GroupTerm, ParameterFormula, Term
from hiermod.formula.reader import Reader, Token, tokenize
from hiermod.formula.terms import OF_BRMS, PlacedBar, TermSet, read_sum

SPECIFIC_EFFECTS = "cs"  # the parameter whose linear predictors are effects on each threshold
WRAPPERS = ("bf", "brmsformula")
OF_GLMMTMB = ("ziformula", "dispformula")  # arguments of its, of parameters that the family names
OPTIONS = ("family", "cmc", "autocor", "unused", "flist")  # of bf()
COMPUTED = ("sparse", "decomp", "loop")  # those that say how, and not what is computed
FLAGS = {**dict.fromkeys(("TRUE", "True", "T"), True), **dict.fromkeys(("FALSE", "False", "F"), False)}
HOW = "The linear predictor of another parameter reads 'sigma ~ terms'; a ';' stands before it."


@dataclass(frozen=True)
class Right:
    """One right side as it was read: its terms, and its bars with their places."""

    terms: TermSet
    bars: tuple[PlacedBar, ...]

    @property
    def specific(self) -> Right | None:
        """The terms and bars of ``cs(…)``."""
        if self.terms.specific is None and not self.terms.specific_bars:
            return None
        return Right(self.terms.specific or TermSet(), tuple(self.terms.specific_bars))

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

    def at_zero(self) -> Right:
        """The same with an intercept that is written as ``0 + Intercept``."""
        if not self.terms.intercept:
            return self
        products = {OF_BRMS: None, **self.terms.products}
        return replace(self, terms=replace(self.terms, intercept=False, products=products))


def opens(reader: Reader) -> Token | None:
    """Take ``bf(``, brms's bracket around several formulas; None where there is none."""
    first = reader.peek()
    if first.text in WRAPPERS and first.kind == "name" and not first.quoted and reader.peek(1).kind == "(":
        reader.take()
        return reader.open_bracket()
    return None


def read_right(reader: Reader, terms: TermSet, may_be_empty: bool = False) -> Right:
    """Read the sum after a ``~``."""
    bars = read_sum(reader, terms, bars_allowed=True)
    if reader.peek().kind in ("|", "||"):
        reader.fail("A bar needs brackets round it: write (1 | g).")
    if reader.peek().kind == "~":
        reader.fail(
            "A second '~': a formula has one response and one right side, and a ';' before that of a parameter."
        )
    if not (terms.intercept or terms.products or bars or terms.specific or may_be_empty):
        raise FormulaError(
            "There is no term on the right side. Write '~ 1' for an intercept alone.",
            reader.text, max(reader.peek(-1).end - 1, 0),
        )  # fmt: skip
    refuse_twice(bars, reader)
    refuse_twice(terms.specific_bars, reader)
    return Right(terms, tuple(bars))


def read_further(reader: Reader, wrapped: Token | None) -> tuple[dict[str, Right], bool]:
    """Read the linear predictors of other parameters up to the end, by the parameters' names.

    And whether the predictors of the mean are centred, as they are unless ``bf(…, center = FALSE)`` says otherwise.
    """
    found: dict[str, Right] = {}
    centred = _read_parts(reader, wrapped, found)
    if wrapped is not None:
        reader.close_bracket(wrapped)
        _read_parts(reader, None, found)
    return found, centred


def _read_parts(reader: Reader, wrapped: Token | None, found: dict[str, Right]) -> bool:
    centred = True
    reader.blocks = set()
    while separator := reader.take_if(";", ","):
        if separator.kind == ";" and reader.peek().kind == "end":
            break
        name = reader.peek()
        if wrapped and reader.peek(1).kind == "=" and name.text in ("center", "nl", *COMPUTED):
            centred = _option(reader) and centred
            continue
        if name.kind == "name" and reader.peek(1).kind == "=" and name.text not in (*OF_GLMMTMB, *OPTIONS):
            _read_fixed(reader, found)
            continue
        if name.text in OF_GLMMTMB and reader.peek(1).kind in ("=", "~"):
            parameter = _of_glmmtmb(reader)
        elif separator.kind == "," and not wrapped:
            reader.fail(HOW)
        else:
            parameter = _parameter(reader)
        if parameter in found or parameter in dict(reader.fixed):
            reader.fail_at(f"The parameter {parameter!r} has two linear predictors. Keep one.", name.start, name.end)
        reader.expect("~", HOW)
        found[parameter] = read_right(reader, TermSet(), may_be_empty=parameter == "ziformula")
        if found[parameter].specific is not None:
            reader.fail_at(f"{SPECIFIC_EFFECTS}(…) stands in the formula of the response.", name.start, name.end)
        reader.blocks = set()
    return centred


def _read_fixed(reader: Reader, found: Mapping[str, Right]) -> None:
    """Read ``nu = 3``: a parameter that is set to a number."""
    name = reader.take()
    reader.take()
    sign = -1.0 if reader.take_if("-") else 1.0
    number = reader.expect(
        "number",
        f"A parameter is set to a number, {name.text} = 2, or has a linear predictor, {name.text} ~ x.",
    )
    if name.text in found or name.text in dict(reader.fixed) or name.text == "mu":
        reader.fail_at(f"The parameter {name.text!r} is said twice. Keep one.", name.start, number.end)
    reader.fixed.append((name.text, sign * float(number.text)))


def _option(reader: Reader) -> bool:
    """Take an option of ``bf()`` that a formula has a place for, and say whether predictors stay centred."""
    name = reader.take().text
    reader.take()
    value = reader.peek()
    if name in COMPUTED:
        reader.take()
        return True
    if value.text not in FLAGS:
        reader.fail(f"{name}= of bf() is TRUE or FALSE.")
    if name == "nl" and FLAGS[value.text]:
        reader.fail_at(
            "Formulas that are not linear in their parameters, nl = TRUE, are not fitted. The nearest are functions of "
            "columns, I(x^2) and log(x), and curves, s(x).", value.start, value.end,
        )  # fmt: skip
    reader.take()
    return name == "nl" or FLAGS[value.text]


def _of_glmmtmb(reader: Reader) -> str:
    """Take the name of one of glmmTMB's arguments, and what would mean something else there refuse."""
    name = reader.take().text
    reader.take_if("=")
    first, second = reader.peek(), reader.peek(1)
    if name == "dispformula" and second.text == "0" and reader.peek(2).kind in (";", ",", ")", "end"):
        reader.fail_at("In glmmTMB dispformula = ~0 takes the residual away, which always stays here: leave this out.",
                       first.start, second.end)  # fmt: skip
    if second.text == ".":
        reader.fail_at(f"A dot in {name} is the right side of the mean in glmmTMB, and all other columns here. Write "
                       "out the terms.", second.start, second.end)  # fmt: skip
    return name


def _parameter(reader: Reader) -> str:
    """Take the name of a parameter."""
    name = reader.peek()
    if name.kind != "name":
        reader.fail(HOW)
    if reader.peek(1).kind == "=" and name.text in OPTIONS:
        reader.fail(f"{name.text}= of bf() has no place in a formula. A family is named by family=; leave others out.")
    if name.text == "mu":
        reader.fail("mu is what 'y ~ terms' is of: write its terms there.")
    reader.take()
    return name.text


def without_bare_bar(text: str, parameter: str) -> str:
    """``y ~ x | z`` of betareg and pscl as ``y ~ x; phi ~ z``: what stands behind the bar is of another parameter.

    Texts without such a bar stay, and texts whose bar may lack its brackets: ``y ~ x + 1 | g``.
    """
    try:
        tokens = tokenize(text)
    except FormulaError:
        return text
    depth, wave, bars = 0, False, []
    for place, token in enumerate(tokens):
        depth += (token.kind in ("(", "[")) - (token.kind in (")", "]"))
        wave = wave or token.kind == "~"
        if depth == 0 and token.kind in (";", ","):
            return text
        if wave and depth == 0 and token.kind in ("|", "||"):
            bars.append(place)
    if len(bars) != 1 or tokens[bars[0]].kind != "|":
        return text
    bar, before, after = tokens[bars[0]], tokens[bars[0] - 1], tokens[bars[0] + 1]
    if before.kind == "number" and after.kind == "name":
        raise FormulaError(
            f"This bar has two readings. For effects of groups write brackets, (1 | {after.text}); for a linear "
            f"predictor of {parameter}, as in betareg and pscl, {text[: bar.start].rstrip()}; {parameter} ~ "
            f"{text[bar.end :].strip()}.", text, bar.start, bar.end,
        )  # fmt: skip
    return f"{text[: bar.start].rstrip()}; {parameter} ~ {text[bar.end :].strip()}"


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
