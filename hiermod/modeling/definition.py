"""What a user asked for, and the model that it means for given data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hiermod.choices import INTERCEPT_POINTS, POOLINGS
from hiermod.data.cells.compress import read_cells
from hiermod.data.cells.statistics import CategoryCells
from hiermod.data.cells.table import Cells, Source
from hiermod.data.columns.responses import ResponseRows, SingleRows, plain_factor
from hiermod.data.columns.values import Level
from hiermod.data.sources.frames import column_names, travels
from hiermod.errors import ModelError, did_you_mean, enumerate_names
from hiermod.families.bounded import bounded
from hiermod.families.measured import with_errors
from hiermod.families.record import Family
from hiermod.families.registry import choose_family, link_notice, read_family
from hiermod.families.registry import known as known_families
from hiermod.formula.expressions import Column, Number
from hiermod.formula.nodes import Formula, LevelResponse, SingleResponse, TrialsResponse
from hiermod.formula.parser import check_names, fill_dot, parse
from hiermod.modeling.pooled import build_pooled
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.spec import build_spec

UNCENTRED = "0 + Intercept: a prior of the intercept stands where predictors are 0, as in brms (intercept_at='zero')"


@dataclass(frozen=True)
class Definition:
    """A model as asked for, in plain values that can be stored and compared.

    Rows that lack a value in one of the columns `complete`, which are none of the formula's, are left out, too.
    """

    formula: str
    family: str | None = None
    priors: Mapping[str, str] = field(default_factory=dict)
    pooling: str = "normal"
    na: str = "drop"
    compress: bool = True
    complete: tuple[str, ...] = ()
    intercept_at: str = "mean"

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise ModelError(f"pooling={self.pooling!r}.{did_you_mean(str(self.pooling), POOLINGS)}")
        if self.intercept_at not in INTERCEPT_POINTS:
            raise ModelError(
                f"intercept_at={self.intercept_at!r}.{did_you_mean(str(self.intercept_at), INTERCEPT_POINTS)}"
            )
        if self.intercept_at == "zero" and self.pooling != "normal":
            raise ModelError(f"intercept_at='zero' is for models with coefficients; pooling={self.pooling!r} has none.")
        if not isinstance(self.compress, bool):
            raise ModelError(f"compress={self.compress!r}: True or False is needed.")


@dataclass(frozen=True, eq=False)
class Defined:
    """A definition with the spec it means for its data, and the notices of what was inferred.

    `data` is the frame or path as it was given, None where it is not known any more.
    """

    definition: Definition
    spec: ModelSpec
    notices: tuple[str, ...]
    data: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process: rows that an engine holds stay where they are."""
        return {**self.__dict__, "data": self.data if travels(self.data) else None}

    def __deepcopy__(self, memo: dict[int, Any]) -> Defined:
        """Nothing of it changes, so that copies share it, and the frame that was fitted."""
        return self


def define(definition: Definition, data: Any) -> Defined:
    """Read formula and data and build the spec; every error of the input is raised here, before sampling."""
    if definition.pooling == "gamma" and definition.family is None:
        definition = replace(definition, family="poisson")
    asked = None if definition.family is None else read_family(definition.family)
    formula = parse(definition.formula)
    dot: tuple[str, ...] = ()
    if formula.has_dot:
        formula = fill_dot(formula, column_names(data))
        definition = replace(definition, formula=str(formula))
        dot = (f"'.' stands for all other columns: {formula}",)
    check_names(formula)
    formula, said = _spelled(formula, asked)
    real = None if asked is None else asked.statistic == "real"
    real = False if formula.measured is not None else real
    choose = partial(_chosen, asked, definition.pooling == "gamma")
    cells, (family, notice, levels), remarks = read_cells(
        formula, data, choose, na=definition.na, compressed=definition.compress, real=real,
        complete=definition.complete,
    )  # fmt: skip
    formula = _with_ids(with_parameters(_with_success(formula, levels), family), family)
    _check_rate(formula, family)
    definition = replace(definition, formula=str(formula)) if formula != parse(definition.formula) else definition
    definition = replace(definition, intercept_at="zero") if formula.uncentred else definition
    spec, notices = _build(definition, formula, family, cells)
    said += [] if definition.family is None else link_notice(definition.family)
    told = (notice, *said, *_source_notices(cells), *dot, *_block_notices(formula, data), *remarks, *notices)
    return Defined(definition, spec, told, data)


def _spelled(formula: Formula, asked: Family | None) -> tuple[Formula, list[str]]:
    """The formula as the family reads it, and what to say: ``y/10`` is arithmetic where the response is a number."""
    response, said = formula.response, []
    real = asked is not None and asked.kind in ("real", "positive", "unit")
    if real and isinstance(response, TrialsResponse) and response.slash and isinstance(response.trials, Number):
        said.append(f"the response {response} is a number under {asked}: {response.ratio}")
        formula = replace(formula, response=response.ratio)
    if formula.uncentred:
        said.append(UNCENTRED)
    said += [f"a power of the one term {term} is that term, as in R: for its square write I({term}^2)"
             for term in formula.idle]  # fmt: skip
    return formula, said


def _with_ids(formula: Formula, family: Family) -> Formula:
    """The formula with the IDs of its bars where these stand in several linear predictors, one of each category."""
    return replace(formula, groups=formula.written_groups) if family.per_category is not None else formula


OTHER_NAMES = {
    "shape": ("alpha",),
    "phi": ("kappa",),
    "zi": ("hu",),  # glmmTMB's ziformula= of a truncated family
}  # brms's, where a family lacks them


def with_parameters(formula: Formula, family: Family) -> Formula:
    """The formula with the family's names of the parameters that have linear predictors.

    ``disp``, of glmmTMB's ``dispformula``, is the first one that is not of zeros.

    Raises
    ------
    ModelError
        If the family has no such parameter, or one that can have no linear predictor.
    """
    if formula.further and family.errors == "weighted":
        raise ModelError(
            f"Under {formula.measured} sigma is one number, which weights scale. Leave the formula of "
            f"{formula.further[0].parameter} out."
        )
    named = [replace(part, parameter=_parameter_name(part.parameter, family)) for part in formula.further]
    twice = [
        part.parameter for place, part in enumerate(named) if part.parameter in [o.parameter for o in named[:place]]
    ]
    if twice:
        raise ModelError(f"The parameter {twice[0]!r} has two linear predictors. Keep one.")
    return replace(formula, further=tuple(named)) if named else formula


def _parameter_name(name: str, family: Family) -> str:
    known = tuple(own.name for own in family.single)
    others = [own.name for own in family.parameters if own.name in OTHER_NAMES.get(name, ())]
    if name == "disp":
        others = [own.name for own in family.parameters if own.support == "positive"]
    if name not in known and others:
        name = others[0]
    if name not in known:
        has = _family_with(name, family) or (did_you_mean(name, known) if known else " Its mean is all it has.")
        raise ModelError(f"The family {family} has no parameter {name!r}.{has}")
    if not family.parameter(name).links:
        raise ModelError(f"{name!r} of the family {family} can have no linear predictor: it is one value for all rows.")
    return name


def _family_with(share: str, family: Family) -> str:
    """Which family gives zeros a part of their own that has this parameter."""
    kind = {"zi": "zero_inflated", "hu": "hurdle"}.get(share)
    name = f"{kind}_{family.name}"
    return f" Say family={name!r}, which has it." if name in known_families() else ""


def _check_rate(formula: Formula, family: Family) -> None:
    """Refuse the exposure of a family that has none."""
    if formula.rate is not None and not family.rated:
        raise ModelError(
            f"y | rate({formula.rate}) is of counts, and this family is {family}. Say family='poisson' or "
            f"'negbinomial'; of other families the term {formula.rate_offset} adds a logarithm."
        )


def _chosen(asked: Family | None, constant: bool, response: ResponseRows) -> tuple[Family, str, tuple[Level, ...]]:
    """The family, its notice, and the two levels of a response that is a factor."""
    family, notice = choose_family(asked, response, constant)
    levels = response.levels if isinstance(response, SingleRows) and family.is_rate else ()
    return family, notice, levels


def _with_success(formula: Formula, levels: tuple[Level, ...]) -> Formula:
    """The formula that names the level which counts as a success, the second of a factor."""
    if not levels or not isinstance(formula.response, SingleResponse):
        return formula
    made = plain_factor(formula.response)
    if isinstance(made, Column):
        return replace(formula, response=LevelResponse(made.name, str(levels[1])))
    return replace(formula, response=SingleResponse(made)) if made else formula


def _block_notices(formula: Formula, data: Any) -> list[str]:
    """Say where the ID of a block of effects could be meant as a second grouping factor."""
    present = set(column_names(data)) if formula.blocks else set()
    return [
        f"(… | {name} | …): {name!r} names a block of effects, as in brms, and is not the column {name!r}; two "
        f"grouping factors stand in two bars, (1 | {name}) + (1 | …)"
        for name in formula.blocks
        if name in present
    ]


def same_rows(models: Mapping[str, Defined], others: Iterable[str] = ()) -> tuple[dict[str, Defined], list[str]]:
    """The models of those rows that are complete in the columns of all of them, and what to say if some leave.

    Parameters
    ----------
    models : mapping by name
        Of the same data. Those with ``na="error"`` have no rows with missing values, and stay as they are.
    others : iterable of str
        Further columns in which rows have to be complete.
    """
    columns = dict.fromkeys([*(name for model in models.values() for name in model.spec.formula.all_columns), *others])
    absent = {name: tuple(set(columns) - set(model.spec.formula.all_columns)) for name, model in models.items()}
    open_ones = {name: model for name, model in models.items() if absent[name] and model.definition.na == "drop"}
    if not open_ones or not (others or any(model.spec.cells.source.missing for model in models.values())):
        return dict(models), []
    again = {
        name: define(replace(model.definition, complete=tuple(sorted(absent[name]))), model.data)
        for name, model in open_ones.items()
    }
    fewer = {name: model for name, model in again.items() if _missing(model) > _missing(models[name])}
    if not fewer:
        return dict(models), []
    left_out = max(_missing(model) for model in fewer.values())
    named = enumerate_names([name for name in columns if any(name in absent[model] for model in fewer)])
    rows = next(iter(fewer.values())).spec.cells.source.rows
    notice = (
        f"all models are fitted to the same {rows:,} rows: {left_out:,} rows lack a value in a column of one of them "
        f"(not all models have {named})"
    )
    return {**models, **fewer}, [notice]


def _missing(model: Defined) -> int:
    return model.spec.cells.source.missing


def redefine(definition: Definition, formula: Formula, family: str, cells: Cells, notices: tuple[str, ...]) -> Defined:
    """Build the spec of stored cells again."""
    categories = cells.response.levels if isinstance(cells.response, CategoryCells) else ()
    record = read_family(family).of_categories(categories)
    record = with_errors(record, formula.measured.kind) if formula.measured is not None else record
    known = bounded(record) if formula.bounds else record
    spec, _ = _build(definition, _with_ids(formula, known), known, cells)
    return Defined(definition, spec, notices)


def with_priors(defined: Defined, priors: Mapping[str, str]) -> Defined:
    """The same model of the same cells with other priors."""
    definition, old = replace(defined.definition, priors=priors), defined.spec
    spec, said = _build(definition, old.formula, old.family, old.cells)
    _, before = _build(defined.definition, old.formula, old.family, old.cells)
    kept = [notice for notice in defined.notices if notice not in before or notice in said]
    notices = (*kept, *(notice for notice in said if notice not in kept))
    return replace(defined, definition=definition, spec=spec, notices=notices)


def _build(definition: Definition, formula: Formula, family: Any, cells: Cells) -> tuple[ModelSpec, list[str]]:
    if definition.pooling != "normal":
        return build_pooled(definition.pooling, formula, family, cells, definition.priors), []
    return build_spec(formula, family, cells, definition.priors, definition.intercept_at)


def _source_notices(cells: Cells) -> list[str]:
    source: Source = cells.source
    size = cells.size()
    dropped = []
    if source.missing:
        dropped.append(f"{_rows(source.missing)} with missing values dropped")
    if source.without_trials:
        dropped.append(f"{_rows(source.without_trials)} with 0 trials or weight dropped")
    return [", ".join([size, *dropped])]


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"
