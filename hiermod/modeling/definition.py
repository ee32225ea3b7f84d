"""What a user asked for, and the model that it means for given data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from hiermod.choices import INTERCEPT_POINTS, POOLINGS
from hiermod.data.cells.compress import read_cells
from hiermod.data.cells.statistics import CategoryCells
from hiermod.data.cells.table import Cells, Source
from hiermod.data.columns.responses import ResponseRows, SingleRows, plain_factor
from hiermod.data.columns.values import Level
from hiermod.data.sources.frames import column_names, held_columns, travels
from hiermod.errors import DataError, ModelError, did_you_mean, enumerate_names
from hiermod.families.bounded import bounded
from hiermod.families.glmmtmb import ARGUMENTS, DISPERSION, ZEROS, hurdle_of, spread, spread_notice, with_zeros
from hiermod.families.measured import with_errors
from hiermod.families.record import Family
from hiermod.families.registry import choose_family, link_notice, read_family
from hiermod.families.registry import known as known_families
from hiermod.formula.expressions import Column
from hiermod.formula.nodes import (
    Formula,
    LevelResponse,
    ParameterFormula,
    SingleResponse,
)
from hiermod.formula.parser import check_names, fill_dot, parse
from hiermod.formula.parts import SPECIFIC_EFFECTS
from hiermod.modeling.passing import refuse_families_of_bambi, refuse_processes
from hiermod.modeling.pooled import build_pooled
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.spec import build_spec
from hiermod.modeling.spellings import behind_bar, notices_of_bambi, spelled, with_numbers

CANONICAL = (("trials", "logit"), ("count", "log"))
CHANGED = "The data is not what was fitted: its rows or groups are others now. Fit it again."


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

    `data` is the frame or path as it was given, None where it is not known any more; `path` where that of a
    stored fit was; `held` its rows in memory, where groups stand for those with their pattern.
    """

    definition: Definition
    spec: ModelSpec
    notices: tuple[str, ...]
    data: Any = None
    path: str = ""
    held: Held | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process: rows that an engine holds stay where they are."""
        return {**self.__dict__, "data": self.data if travels(self.data) else None}

    def __deepcopy__(self, memo: dict[int, Any]) -> Defined:
        """Nothing of it changes, so that copies share it, and the frame that was fitted."""
        return self

    @property
    def by_patterns(self) -> bool:
        """Whether groups stand for all with their pattern of data."""
        return self.spec.cells.by_patterns

    def naming(self, named: tuple[Level, ...]) -> Defined | None:
        """The same in which some groups stand for themselves; None where they do not, or the data is not known."""
        if self.data is None:
            return None
        found = define(self.definition, self.held.data if self.held else self.data, named=named)
        return found if found.by_patterns else None

    @cached_property
    def whole(self) -> Defined:
        """The same with all groups and their rows, which are read where groups stand for those with their pattern.

        Raises
        ------
        DataError
            If the data is not known any more, or is not what it was.
        """
        old = self.spec.cells
        if not old.by_patterns:
            return self
        (own,) = old.groupings.values()
        if self.data is None:
            where = repr(self.path) if self.path else "..."
            raise DataError(
                f"Which of the {own.groups:,} groups of {own.name} has which rows is told by the data alone, and this "
                "fit, since it was stored or came from another process, knows no more than their patterns. Say where "
                f"the rows are: hiermod.load(path, data={where}). Averages over all groups are answered without them."
            )
        found = self.held.whole if self.held else define(self.definition, self.data, patterns=False)
        new = found.spec.cells
        counts = [(cells.source.rows, cells.source.missing, cells.source.without_trials) for cells in (old, new)]
        if counts[0] != counts[1] or new.groupings[own.name].groups != own.groups:
            raise DataError(CHANGED)
        size = dict(zip(_source_notices(old), _source_notices(new), strict=True))
        notices = tuple(size.get(notice, notice) for notice in self.notices)
        return replace(found, notices=notices, data=self.data)


@dataclass(frozen=True, eq=False)
class Held:
    """The columns of rows in memory that a definition reads, as they were."""

    definition: Definition
    data: Any

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process: nothing that can be made anew."""
        return {"definition": self.definition, "data": self.data}

    @cached_property
    def whole(self) -> Defined:
        """The model of all groups and their rows."""
        return define(self.definition, self.data, patterns=False)

    def fingerprint(self) -> str:
        """That of the rows, which the patterns of their groups do not tell."""
        return self.whole.spec.cells.source.fingerprint


def define(
    definition: Definition, data: Any, of_bambi: Mapping[str, Family] | None = None, patterns: bool = True,
    named: tuple[Level, ...] = (),
) -> Defined:  # fmt: skip
    """Read formula and data and build the spec; every error of the input is raised here, before sampling.

    A model that is Bambi's may be of the families `of_bambi`, and have Gaussian processes. Of very many groups in data
    that an engine holds, one may stand for all with its pattern of data, unless `patterns` is False; `named` ones stand
    for themselves.
    """
    if definition.pooling == "gamma" and definition.family is None:
        definition = replace(definition, family="poisson")
    text, of_bar = behind_bar(definition.formula, definition.family)
    definition = replace(definition, formula=text)
    formula = parse(definition.formula)
    of_glmmtmb = [part.parameter for part in formula.further if part.parameter in ARGUMENTS and not _is_usual(part)]
    if ZEROS in of_glmmtmb and definition.family is not None:
        definition = replace(definition, family=hurdle_of(definition.family))
    if of_bambi is None:
        refuse_families_of_bambi(definition.family, formula)
    asked = None if definition.family is None else read_family(definition.family, of_bambi)
    formula, asked, of_numbers = with_numbers(formula, asked)
    definition = replace(definition, family=str(asked)) if of_numbers else definition
    dot: tuple[str, ...] = ()
    if formula.has_dot:
        formula = fill_dot(formula, column_names(data))
        definition = replace(definition, formula=str(formula))
        dot = (f"'.' stands for all other columns: {formula}",)
    check_names(formula)
    if ZEROS in of_glmmtmb and asked is not None:
        asked = with_zeros(asked)
    formula, said = spelled(formula, asked, data)
    real = None if asked is None else asked.statistic == "real"
    real = False if formula.measured is not None else real
    choose = partial(_chosen, asked, definition.pooling == "gamma", ZEROS in of_glmmtmb)
    cells, (family, notice, levels), remarks = read_cells(
        formula, data, choose, na=definition.na, compressed=definition.compress, real=real,
        complete=definition.complete, patterns=_sharing(definition, asked) if patterns and of_bambi is None else None,
        named=named,
    )  # fmt: skip
    if of_bambi is None:
        refuse_processes(formula, family)
    family = family.with_parameters([part.parameter for part in formula.further])
    said += notices_of_bambi(formula, family)
    formula = _with_ids(with_parameters(_with_success(formula, levels), family), family)
    _check_rate(formula, family)
    said += _of_glmmtmb_notices(of_glmmtmb, definition.family, family)
    definition = replace(definition, formula=str(formula)) if formula != parse(definition.formula) else definition
    definition = replace(definition, intercept_at="zero") if formula.uncentred else definition
    said += [] if definition.family is None or of_bambi is not None else link_notice(definition.family)
    definition = replace(definition, family=str(family)) if ZEROS in of_glmmtmb else definition
    spec, notices = _build(definition, formula, family, cells)
    said = [*of_bar, *of_numbers, *said]
    told = (notice, *said, *_source_notices(cells), *dot, *_block_notices(formula, data), *remarks, *notices)
    if not cells.by_patterns or (rows := held_columns(data, (*formula.all_columns, *definition.complete))) is None:
        return Defined(definition, spec, told, data)
    held = Held(definition, rows)
    light = spec.with_cells(replace(cells, source=replace(cells.source, print_of=held.fingerprint)))
    return Defined(definition, light, told, data, held=held)


def _is_canonical(family: Family) -> bool:
    """Whether groups with the same trials and sums of responses have the same likelihood of their effects."""
    return (family.statistic, family.link.name) in CANONICAL and not family.zeros and not family.auxiliary


def _sharing(definition: Definition, asked: Family | None) -> Callable[[Family], bool] | None:
    """What tells of a family whether groups may be known by their patterns; None where that is not worth a try."""
    if definition.pooling != "normal" or (asked is not None and not _is_canonical(asked)):
        return None
    return _is_canonical


def _with_ids(formula: Formula, family: Family) -> Formula:
    """The formula with the IDs of its bars where these stand in several linear predictors, one of each category."""
    return replace(formula, groups=formula.written_groups) if family.per_category is not None else formula


OTHER_NAMES = {
    "shape": ("alpha",),
    "phi": ("kappa",),
    "zi": ("hu",),
    "psi": ("zi", "hu"),
}  # brms's and Bambi's, where a family lacks them


def with_parameters(formula: Formula, family: Family) -> Formula:
    """The formula with the family's names of the parameters that have linear predictors.

    glmmTMB's ``ziformula`` is of the share of zeros, ``dispformula`` of the parameter of spread.

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
    further = [part for part in formula.further if not _is_usual(part)]
    if family.zeros and any(part.parameter == ZEROS for part in set(formula.further) - set(further)):
        raise ModelError(
            f"{ZEROS} = ~0 says that zeros have no part of their own, which they have in the family {family}. Leave it "
            "out, or name another family."
        )
    named = [replace(part, parameter=_parameter_name(part.parameter, family)) for part in further]
    twice = [
        part.parameter for place, part in enumerate(named) if part.parameter in [o.parameter for o in named[:place]]
    ]
    if twice:
        raise ModelError(f"The parameter {twice[0]!r} has two linear predictors. Keep one.")
    return replace(formula, further=tuple(named)) if formula.further else formula


def _is_usual(part: ParameterFormula) -> bool:
    """Whether one of glmmTMB's arguments says what is so without it: no zeros of their own, one number of spread."""
    return part.without_terms and {ZEROS: not part.intercept, DISPERSION: part.intercept}.get(part.parameter, False)


def _parameter_name(name: str, family: Family) -> str:
    known = tuple(own.name for own in family.single)
    if name in family.added:
        return name
    if name == SPECIFIC_EFFECTS:
        raise ModelError(_without_specific(family))
    others = [own.name for own in family.parameters if own.name in OTHER_NAMES.get(name, ())]
    if name == DISPERSION:
        return spread(family).name
    if name == ZEROS:
        return family.auxiliary[-1]
    if name not in known and others:
        name = others[0]
    if name not in known:
        has = _family_with(name, family) or (did_you_mean(name, known) if known else " Its mean is all it has.")
        raise ModelError(f"The family {family} has no parameter {name!r}.{has}")
    if not family.parameter(name).links:
        raise ModelError(f"{name!r} of the family {family} can have no linear predictor: it is one value for all rows.")
    return name


def _without_specific(family: Family) -> str:
    """Why a family has no effects that differ between thresholds, and what is nearest."""
    if family.thresholds is not None:
        return (
            f"cs(…): thresholds of the family {family} have to increase, which effects of their own on each would not "
            "keep to. Say family='sratio', 'cratio' or 'acat', whose thresholds need no order, or let distances "
            "between them differ by disc ~ x."
        )
    return (
        f"cs(…) has an effect on each threshold of ordered categories, and the family {family} has none. Say "
        "family='sratio', 'cratio' or 'acat', or write the terms without cs()."
    )


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


def _chosen(
    asked: Family | None, constant: bool, zeros: bool, response: ResponseRows
) -> tuple[Family, str, tuple[Level, ...]]:
    """The family, its notice, and the two levels of a response that is a factor.

    Where none is asked for, and `zeros` have a part of their own, the family is that of the response with this part.
    """
    family, notice = choose_family(asked, response, constant)
    if zeros and asked is None:
        if not family.is_rate:
            raise ModelError(
                f"{ZEROS} adds zeros to a family, which is to be named: family='poisson' or 'negbinomial' for counts, "
                "'hurdle_gamma' or 'hurdle_lognormal' for numbers from 0 on."
            )
        family, notice = choose_family(with_zeros(family), response, constant)
    levels = response.levels if isinstance(response, SingleRows) and family.is_rate else ()
    return family, notice, levels


def _of_glmmtmb_notices(arguments: list[str], asked: str | None, family: Family) -> list[str]:
    """What glmmTMB's arguments mean here."""
    if not arguments:
        return []
    base = "binomial" if asked is None else str(read_family(asked))
    zeros = [f"{ZEROS} makes {base} the family {family}"] if ZEROS in arguments and base != str(family) else []
    return zeros + ([spread_notice(family)] if DISPERSION in arguments else [])


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
        name: define(replace(model.definition, complete=tuple(sorted(absent[name]))), model.data, patterns=False)
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
    record = record.with_parameters([part.parameter for part in formula.further])
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
    held = defined.held and Held(definition, defined.held.data)
    return replace(defined, definition=definition, spec=spec, notices=notices, held=held)


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
