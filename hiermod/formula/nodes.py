"""What a formula means: its response, common terms and group terms, free of data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from hiermod.formula.expressions import Arithmetic, Call, Column, Expression, Number, distinct, quote

SLASH = "∕"
DOT = "."


def without_slash(name: str) -> str:
    """A name as a posterior can carry it: ``/`` parts groups in xarray and NetCDF, so U+2215 stands for it."""
    return name.replace("/", SLASH)


@dataclass(frozen=True)
class Term:
    """A product of variables; the empty product is the intercept. ``a:b`` equals ``b:a``.

    A variable is a column, or what a function makes of columns, by its text: ``log(x)``.
    """

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
    `correlated` is False for ``||``; `block` is the ID that it shares with bars in the linear predictors of other
    parameters, with whose effects its own are correlated: ``(1 | p | g)``; `by` is the factor f of ``gr(g, by = f)``,
    for each level of which groups have a variance of their own: ``(0 + f || g)``, or, where effects are correlated, a
    covariance (`covariances`): ``(1 + x | gr(g, by = f))``, whose terms here are f and f:x.
    """

    terms: tuple[Term, ...]
    factors: tuple[str, ...]
    correlated: bool
    block: str = ""
    by: str = field(compare=False, default="")
    covariances: bool = False

    @property
    def group(self) -> str:
        """The grouping factor's name, such as ``country:city``."""
        return without_slash(":".join(self.factors))

    @property
    def written(self) -> tuple[Term, ...]:
        """The terms before the bar: those of a covariance for each level of a factor without that factor."""
        return tuple(term.without(self.by) for term in self.terms) if self.covariances else self.terms

    def __str__(self) -> str:
        inside = " + ".join(str(term) for term in self.written)
        inside = inside if INTERCEPT in self.written else f"0 + {inside}"
        bar = "|" if self.correlated else "||"
        bar = f"| {self.block} |" if self.block else bar
        group = ":".join(quote(factor) for factor in self.factors)
        return f"({inside} {bar} {f'gr({group}, by = {quote(self.by)})' if self.covariances else group})"


@dataclass(frozen=True)
class SingleResponse:
    """A response of one number a row: a column, or what a function makes of it."""

    expression: Expression

    def __str__(self) -> str:
        return str(self.expression)

    @property
    def name(self) -> str:
        """The observed variable's name in a posterior."""
        return without_slash(self.expression.name if isinstance(self.expression, Column) else str(self))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return self.expression.columns


@dataclass(frozen=True)
class LevelResponse:
    """Whether a column has one level: ``y['yes']``."""

    column: str
    level: str

    def __str__(self) -> str:
        mark = '"' if "'" in self.level else "'"
        return f"{quote(self.column)}[{mark}{self.level}{mark}]"

    @property
    def name(self) -> str:
        """The observed variable's name in a posterior, the column's as in Bambi."""
        return without_slash(self.column)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.column,)


@dataclass(frozen=True)
class TrialsResponse:
    """A response of two parts, successes and trials: ``s/n``, ``cbind(s, f)``, ``p(s, n)``.

    `slash` tells that it was written as a ratio, which of real numbers is arithmetic.
    """

    successes: Expression
    trials: Expression
    slash: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        if isinstance(self.successes, Column):
            plain = isinstance(self.trials, Column | Number)
            return f"{self.successes}/{self.trials}" if plain else f"{self.successes}/({self.trials})"
        return f"p({self.successes}, {self.trials})"

    @property
    def ratio(self) -> SingleResponse:
        """The same as a number: ``I(s / n)``."""
        return SingleResponse(Call("I", (Arithmetic("/", self.successes, self.trials),)))

    @property
    def name(self) -> str:
        """The observed variable's name in a posterior, as Bambi spells it."""
        return without_slash(f"p({self.successes}, {self.trials})")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, in order of appearance."""
        return distinct((*self.successes.columns, *self.trials.columns))


@dataclass(frozen=True)
class CountsResponse:
    """Counts of three categories or more, an expression each: ``cbind(a, b, c)``.

    `stated` is what they add up to, where that was written beside them: ``cbind(a, b, c) | trials(n)``.
    """

    counts: tuple[Expression, ...]
    stated: Expression | None = None

    def __str__(self) -> str:
        return f"cbind({', '.join(map(str, self.counts))})"

    @property
    def name(self) -> str:
        """The observed variable's name in a posterior."""
        return without_slash(str(self))

    @property
    def categories(self) -> tuple[str, ...]:
        """What each of them counts: ``a`` and ``b`` of columns ``y.a`` and ``y.b``, as R writes those of a matrix."""
        names = tuple(count.name if isinstance(count, Column) else str(count) for count in self.counts)
        parts = [name.partition(".") for name in names]
        of_matrix = all(isinstance(count, Column) for count in self.counts) and len({part[0] for part in parts}) == 1
        return tuple(part[2] for part in parts) if of_matrix and all(part[0] and part[2] for part in parts) else names

    @property
    def trials(self) -> Expression:
        """Their sum, the trials of a row."""
        first, *others = self.counts
        for count in others:
            first = Arithmetic("+", first, count)
        return first

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, in order of appearance."""
        parts = (*self.counts, *((self.stated,) if self.stated is not None else ()))
        return distinct(name for part in parts for name in part.columns)


Response = SingleResponse | LevelResponse | TrialsResponse | CountsResponse


def _common_part(part: Formula | ParameterFormula, offsets: Iterable[str]) -> list[str]:
    terms = [*map(str, part.common), *offsets]
    if part.uncentred:
        return ["0", "Intercept", *terms]
    return [*(["0"] if not part.intercept else ([] if terms else ["1"])), *terms]


@dataclass(frozen=True)
class ParameterFormula:
    """The linear predictor of a parameter beside the mean, ``sigma ~ x``; its fields are those of `Formula`."""

    parameter: str
    intercept: bool
    common: tuple[Term, ...]
    groups: tuple[GroupTerm, ...]
    offsets: tuple[str, ...] = ()
    removed: tuple[Term, ...] = ()
    uncentred: bool = False

    def __str__(self) -> str:
        return f"{quote(self.parameter)} ~ {self.right}"

    @property
    def right(self) -> str:
        """Its terms, spelled out."""
        removed = "".join(f" - {term}" for term in self.removed)
        return f"{' + '.join([*self.common_part(), *map(str, self.groups)])}{removed}"

    def common_part(self) -> list[str]:
        """The common terms and offsets, spelled out; the intercept where it is absent or alone."""
        return _common_part(self, self.offsets)

    @property
    def without_terms(self) -> bool:
        """Whether there is an intercept at most."""
        return not (self.common or self.groups or self.offsets)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The common terms and those of bars."""
        return (*self.common, *(term for group in self.groups for term in group.terms))

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of common terms, of bars and of offsets, in order of appearance."""
        return distinct((*(variable for term in self.terms for variable in term.variables), *self.offsets))

    @property
    def common_variables(self) -> tuple[str, ...]:
        """The variables of common terms."""
        return distinct(variable for term in self.common for variable in term.variables)


@dataclass(frozen=True)
class Measured:
    """How well each response is known: by a standard error, alone or beside a residual, or by a weight of precision."""

    kind: Literal["known", "added", "weighted"]
    expression: Expression

    def __str__(self) -> str:
        if self.kind == "weighted":
            return f'weights({self.expression}, type = "precision")'
        return f"se({self.expression}{', sigma = TRUE' if self.kind == 'added' else ''})"


@dataclass(frozen=True)
class Bounds:
    """What is known of responses by bounds.

    Parameters
    ----------
    code : Expression, optional
        What censors each row, in brms's coding: 1 or ``right``, -1 or ``left``, 0 or ``none``, 2 or ``interval``.
    upper : Expression, optional
        Where intervals end.
    events : bool
        Whether `code` is R's of ``Surv(time, event)``, 1 for an event and 0 for a right-censored time.
    least, most : Expression, optional
        Between which bounds a response is recorded at all.
    """

    code: Expression | None = None
    upper: Expression | None = None
    events: bool = False
    least: Expression | None = None
    most: Expression | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        parts = (self.code, self.upper, self.least, self.most)
        return distinct(name for part in parts if part is not None for name in part.columns)

    @property
    def optional(self) -> tuple[str, ...]:
        """The columns in which values may be missing: ends of what is no interval."""
        others = {name for part in (self.code, self.least, self.most) if part is not None for name in part.columns}
        return tuple(name for name in (self.upper.columns if self.upper else ()) if name not in others)

    def additions(self) -> list[str]:
        """As brms writes it beside a response; ``Surv()`` stands in the response's place."""
        added = []
        if self.code is not None and not self.events:
            added.append(f"cens({', '.join(str(part) for part in (self.code, self.upper) if part is not None)})")
        limits = {"lb": self.least, "ub": self.most}
        if self.least is not None or self.most is not None:
            named = ", ".join(f"{name} = {part}" for name, part in limits.items() if part is not None)
            added.append(f"trunc({named})")
        return added


@dataclass(frozen=True)
class Formula:
    """A parsed formula.

    `weights` is the column of frequency weights; `offsets` are variables with the coefficient one; `removed` are terms
    to take away from what ``.`` will stand for, where that is not known yet; `expressions` gives what each variable is
    made of where it is no plain column; `places` where in `text` each column was first named; `blocks` are the IDs of
    group terms, ``(1 | ID | g)``, and `written_groups` the bars with those that no other linear predictor shares;
    `idle` are terms of one variable that were raised to a power, which changes nothing.
    `uncentred` tells that the intercept was written as ``0 + Intercept``, brms's way of saying that its prior stands
    where predictors are 0. `further` are the linear predictors of other parameters than the mean, ``sigma ~ x``, whose
    terms, groups and offsets are their own. `rate` is the expression of ``y | rate(t)``, the exposure of counts, whose
    logarithm is among the offsets. `bounds` says which responses are known by bounds alone, and which are recorded;
    `measured` how well each response is known, ``y | se(s)``. `fixed` are parameters that are set to a number, brms's
    ``bf(y ~ x, nu = 3)``.
    """

    text: str = field(compare=False)
    response: Response
    intercept: bool
    common: tuple[Term, ...]
    groups: tuple[GroupTerm, ...]
    offsets: tuple[str, ...] = ()
    weights: str | None = None
    removed: tuple[Term, ...] = ()
    uncentred: bool = False
    rate: Expression | None = None
    bounds: Bounds | None = None
    expressions: Mapping[str, Expression] = field(compare=False, repr=False, default_factory=dict)
    places: Mapping[str, tuple[int, int]] = field(compare=False, repr=False, default_factory=dict)
    blocks: tuple[str, ...] = field(compare=False, repr=False, default=())
    idle: tuple[str, ...] = field(compare=False, repr=False, default=())
    further: tuple[ParameterFormula, ...] = ()
    measured: Measured | None = None
    written_groups: tuple[GroupTerm, ...] = field(compare=False, repr=False, default=())
    fixed: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        numbers = (f"{quote(name)} = {Number(value)}" for name, value in self.fixed)
        return "; ".join([self.of_mean, *map(str, self.further), *numbers])

    @property
    def of_mean(self) -> str:
        """The response and the linear predictor of the mean, spelled out."""
        removed = "".join(f" - {term}" for term in self.removed)
        return f"{self.left} ~ {' + '.join([*self.common_part(), *map(str, self.groups)])}{removed}"

    @property
    def parts(self) -> tuple[Formula | ParameterFormula, ...]:
        """The linear predictors, that of the mean first."""
        return (self, *self.further)

    @cached_property
    def all_groups(self) -> tuple[GroupTerm, ...]:
        """The group terms of all linear predictors."""
        return tuple(group for part in self.parts for group in part.groups)

    @cached_property
    def all_offsets(self) -> tuple[str, ...]:
        """The offsets of all linear predictors."""
        return distinct(name for part in self.parts for name in part.offsets)

    @cached_property
    def of_further(self) -> tuple[str, ...]:
        """The variables of the linear predictors of other parameters than the mean."""
        return distinct(name for part in self.further for name in part.variables)

    @property
    def left(self) -> str:
        """The response with its weights, spelled out."""
        trials = self.response.stated if isinstance(self.response, CountsResponse) else None
        added = [f"trials({trials})"] if trials is not None else []
        added += [f"rate({self.rate})"] if self.rate else []
        added += [f"weights({quote(self.weights)})"] if self.weights else []
        added += [str(self.measured)] if self.measured else []
        added += self.bounds.additions() if self.bounds else []
        response = f"Surv({self.response}, {self.bounds.code})" if self.bounds and self.bounds.events else self.response
        return f"{response} | {' + '.join(added)}" if added else str(response)

    def common_part(self) -> list[str]:
        """The common terms and offsets, spelled out; the intercept where it is absent or alone."""
        return _common_part(self, self.own_offsets)

    @property
    def own_offsets(self) -> tuple[str, ...]:
        """The offsets but that of a rate's exposure, which is written beside the response."""
        return tuple(name for name in self.offsets if self.rate is None or name != self.rate_offset)

    @property
    def rate_offset(self) -> str:
        """The offset that ``y | rate(t)`` makes."""
        return f"offset(log({self.rate}))"

    @property
    def has_dot(self) -> bool:
        """Whether ``.`` still stands for all other columns."""
        return DOT in self.variables

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The common terms and those of bars, of all linear predictors."""
        own = (*self.common, *(term for group in self.groups for term in group.terms))
        return (*own, *(term for part in self.further for term in part.terms))

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The variables of common terms, of bars and of offsets, of all linear predictors, in order of appearance."""
        return distinct((*(variable for term in self.terms for variable in term.variables), *self.all_offsets))

    @cached_property
    def common_variables(self) -> tuple[str, ...]:
        """The variables of the mean's common terms."""
        return distinct(variable for term in self.common for variable in term.variables)

    @cached_property
    def common_columns(self) -> tuple[str, ...]:
        """The variables of common terms, and the columns that they are made of."""
        variables = self.common_variables
        return distinct((*variables, *(name for variable in variables for name in self.sources[variable])))

    @cached_property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """The columns that each variable is made of."""
        made = self.expressions
        return {name: made[name].columns if name in made else (name,) for name in self.variables}

    @cached_property
    def predictor_columns(self) -> tuple[str, ...]:
        """The columns behind all variables."""
        return distinct(name for names in self.sources.values() for name in names)

    @cached_property
    def grouping_columns(self) -> tuple[str, ...]:
        """The columns that make up grouping factors."""
        return distinct(factor for group in self.all_groups for factor in group.factors)

    @cached_property
    def all_columns(self) -> tuple[str, ...]:
        """Every column that the formula reads, in order of appearance."""
        weights: tuple[str, ...] = (self.weights,) if self.weights else ()
        weights += self.measured.expression.columns if self.measured else ()
        bounds = self.bounds.columns if self.bounds else ()
        return distinct((*self.response.columns, *weights, *bounds, *self.predictor_columns, *self.grouping_columns))
