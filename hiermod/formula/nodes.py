"""What a formula means: its response, common terms and group terms, free of data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hiermod.formula.expressions import Arithmetic, Column, Expression, columns, quote

SLASH = "∕"


def without_slash(name: str) -> str:
    """A name as a posterior can carry it: ``/`` parts groups in xarray and NetCDF, so U+2215 stands for it."""
    return name.replace("/", SLASH)


@dataclass(frozen=True)
class Term:
    """A product of variables; the empty product is the intercept. ``a:b`` equals ``b:a``."""

    variables: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and frozenset(self.variables) == frozenset(other.variables)

    def __hash__(self) -> int:
        return hash(frozenset(self.variables))

    def __str__(self) -> str:
        return ":".join(quote(variable) for variable in self.variables) or "1"

    @property
    def name(self) -> str:
        """The term's name in a posterior: ``x:f``, or ``1`` for the intercept."""
        return without_slash(":".join(self.variables)) or "1"

    def without(self, variable: str) -> Term:
        """Return the margin of this term that lacks `variable`."""
        return Term(tuple(other for other in self.variables if other != variable))


INTERCEPT = Term()


@dataclass(frozen=True)
class GroupTerm:
    """One bar ``(terms | group)``: effects that vary over the levels of a grouping factor.

    `factors` are the crossed columns of the group (``("country", "city")`` for ``country:city``);
    `correlated` is False for ``||``.
    """

    terms: tuple[Term, ...]
    factors: tuple[str, ...]
    correlated: bool

    @property
    def group(self) -> str:
        """The grouping factor's name, such as ``country:city``."""
        return without_slash(":".join(self.factors))

    def __str__(self) -> str:
        inside = " + ".join(str(term) for term in self.terms)
        inside = inside if INTERCEPT in self.terms else f"0 + {inside}"
        bar = "|" if self.correlated else "||"
        return f"({inside} {bar} {':'.join(quote(factor) for factor in self.factors)})"


@dataclass(frozen=True)
class SingleResponse:
    """A response that is one column: ``y``."""

    column: str

    def __str__(self) -> str:
        return quote(self.column)

    @property
    def name(self) -> str:
        """The observed variable's name in a posterior."""
        return without_slash(self.column)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.column,)


@dataclass(frozen=True)
class TrialsResponse:
    """A response of two parts, successes and trials: ``s/n``, ``cbind(s, f)``, ``p(s, n)``."""

    successes: Expression
    trials: Expression

    def __str__(self) -> str:
        if isinstance(self.successes, Column):
            trials = f"({self.trials})" if isinstance(self.trials, Arithmetic) else str(self.trials)
            return f"{self.successes}/{trials}"
        return f"p({self.successes}, {self.trials})"

    @property
    def name(self) -> str:
        """The observed variable's name in a posterior, as Bambi spells it."""
        return without_slash(f"p({self.successes}, {self.trials})")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, in order of appearance."""
        return tuple(dict.fromkeys([*columns(self.successes), *columns(self.trials)]))


Response = SingleResponse | TrialsResponse


@dataclass(frozen=True)
class Formula:
    """A parsed formula.

    `places` gives where in `text` each column was first named, for carets in later errors.
    """

    text: str = field(compare=False)
    response: Response
    intercept: bool
    common: tuple[Term, ...]
    groups: tuple[GroupTerm, ...]
    places: Mapping[str, tuple[int, int]] = field(compare=False, repr=False, default_factory=dict)

    def __str__(self) -> str:
        terms = [str(term) for term in self.common]
        lead = ["0"] if not self.intercept else ([] if terms else ["1"])
        return f"{self.response} ~ {' + '.join([*lead, *terms, *map(str, self.groups)])}"

    def predictors(self) -> tuple[str, ...]:
        """The columns that stand in common terms or inside a bar, in order of appearance."""
        return tuple(dict.fromkeys([*self._common_variables(), *self._bar_variables()]))

    def common_variables(self) -> tuple[str, ...]:
        """The columns that stand in common terms."""
        return tuple(dict.fromkeys(self._common_variables()))

    def grouping_columns(self) -> tuple[str, ...]:
        """The columns that make up grouping factors."""
        return tuple(dict.fromkeys(factor for group in self.groups for factor in group.factors))

    def _common_variables(self) -> Iterator[str]:
        return (variable for term in self.common for variable in term.variables)

    def _bar_variables(self) -> Iterator[str]:
        return (variable for bar in self.groups for term in bar.terms for variable in term.variables)
