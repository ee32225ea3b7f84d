"""All families by their names, and the one that a response gets."""

from __future__ import annotations

import copyreg
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NoReturn

import numpy as np

from hiermod.data.columns.bounds import RIGHT, BoundedRows
from hiermod.data.columns.measured import MeasuredRows
from hiermod.data.columns.responses import ResponseRows, SingleRows, TallyRows, TrialsRows, refuse_levels
from hiermod.data.columns.values import Level
from hiermod.errors import DataError, HiermodError, ModelError, did_you_mean, enumerate_names, nearest
from hiermod.families import (
    categorical,
    circular,
    counts,
    durations,
    mixtures,
    ordered,
    positive,
    rates,
    real,
    skewed,
    truncated,
    units,
)
from hiermod.families.bounded import bounded
from hiermod.families.fixed import with_fixed
from hiermod.families.links import link_of
from hiermod.families.measured import with_errors
from hiermod.families.names import ABSENT, ABSENT_LINKS, ALIASES, LINKS, MEANT, OF_BAMBI
from hiermod.families.ops import NUMPY
from hiermod.families.probes import usual_parameters
from hiermod.families.record import Family, first_wrong
from hiermod.formula.expressions import quote

KIN = (
    rates,
    counts,
    real,
    positive,
    durations,
    units,
    ordered,
    categorical,
    mixtures,
    truncated,
    skewed,
    circular,
)
RECORDS = {family.name: family for kin in KIN for family in kin.FAMILIES}
FAMILIES: dict[str, Family] = {name: RECORDS[name] for name in LINKS}
REGISTERED: dict[str, Family] = {}  # those from outside, by their usual link
CHECKS = {
    "rate": rates.take_trials, "count": counts.take_counts, "real": real.take_numbers,
    "positive": positive.take_positive, "unit": units.take_shares,
    "ordered": ordered.take_ordered, "category": categorical.take_categories,
}  # fmt: skip
SHOWN = 6  # thresholds in a notice
RATINGS = 11  # values of whole numbers, up to which they may be ratings
SEVERAL = re.compile(r"\s*+([\w.]++)\s*+\(([^()]{0,300})\)\s*+")  # links of several parameters
ITEM = re.compile(r"\s*+(?:(\w++)\s*+=\s*+)?['\"]?([\w.+/^-]++)['\"]?\s*+")
ALIKE = 0.7  # of the letters of a family's name, from which on a slip of the pen is likely
NAMED = re.compile(r"\s*+([\w.]++)\s*+\(([^()]{1,100})\)\s*+")
SPELLING = re.compile(r"\s*+([\w.]++)\s*+(?:\(\s*+(?:(?:link\s*+=\s*+)?['\"]?([\w/^]++)['\"]?\s*+)?\)\s*+)?")


def known() -> dict[str, Family]:
    """All families that a model can name: hiermod's, and those from outside."""
    return {**FAMILIES, **REGISTERED}


def is_built_in(family: Family) -> bool:
    """Whether a family is hiermod's own."""
    return family.name in FAMILIES


def spelled_name(family: object) -> str:
    """A family's name without links; empty where the text is none."""
    return (_spelled(family) or ("",))[0] if isinstance(family, str) else ""


def read_family(family: str, beside: Mapping[str, Family] | None = None) -> Family:
    """Read a family's name, with links in brackets where they are not the usual ones.

    ``"binomial(probit)"``; of linear predictors of other parameters ``"hurdle_gamma(hu=probit)"``. Families `beside`
    those that models can name are known by their names, too.
    """
    spelled = _spelled(family) if isinstance(family, str) else None
    name, link, others = spelled or ("", None, {})
    name = name if name in (beside or {}) else ALIASES.get(name, name)
    records = {**known(), **(beside or {})}
    if isinstance(family, Family):
        raise DataError(f"family= takes a name: hm.register_family(record), then family={family.name!r}.")
    if name not in records:
        _refuse_link_of(family)
        raise DataError(
            f"There is no family {family!r}.{_meant(name, link, family)} The families are {', '.join(records)}; "
            "hiermod.register_family adds one of your own."
        )
    record = records[name]
    if link is not None and link not in record.links:
        raise DataError(f"The family {name} has no link {link!r}.{_nearest_link(link, record)}")
    record = record.linked(link) if link else record
    for own, chosen in others.items():
        if own == "threshold" and record.thresholds is not None:
            _refuse_equidistant(name, chosen)
            continue
        if own in (addition.parameter.name for addition in record.additions) and chosen == "log":
            continue  # the only one that it has
        if (number := _number(chosen)) is not None:
            record = with_fixed(record, own, number)
            continue
        if own not in record.auxiliary:
            raise DataError(f"The family {name} has no parameter {own!r}.{did_you_mean(own, record.auxiliary)}")
        record = record.with_parameter_link(own, chosen)
    return record


def _number(text: str) -> float | None:
    """A finite number; None where the text is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _refuse_link_of(family: object) -> None:
    """Refuse a link that is no word, such as Aranda-Ordaz, of a family that there is."""
    found = NAMED.fullmatch(family) if isinstance(family, str) else None
    record = known().get(ALIASES.get(found.group(1).lower(), found.group(1).lower())) if found else None
    if found is not None and record is not None and "=" not in found.group(2) and "," not in found.group(2):
        link = found.group(2).strip(" '\"")
        raise DataError(f"The family {record.name} has no link {link!r}.{_nearest_link(link, record)}")


def _nearest_link(link: str, record: Family) -> str:
    """Which links there are, and the nearest one of those that only other packages have."""
    told = next((text for names, text in ABSENT_LINKS.items() if link.lower() in names), None)
    return did_you_mean(link, record.links) if told is None else f" {told}"


def _refuse_equidistant(name: str, threshold: str) -> None:
    """Refuse brms's thresholds that have fewer parameters than there are."""
    if threshold != "flexible":
        raise DataError(
            f"Thresholds of the family {name} are flexible, each a parameter of its own, and not {threshold!r}. Leave "
            "threshold= out."
        )


def _spelled(text: str) -> tuple[str, str | None, dict[str, str]] | None:
    """A family's name, its link, and those of its other parameters: ``hurdle_gamma(log, hu=probit)``, brms's too."""
    if (plain := SPELLING.fullmatch(text)) is not None:
        return plain.group(1).lower(), plain.group(2), {}
    whole = SEVERAL.fullmatch(text)
    items = [ITEM.fullmatch(item) for item in whole.group(2).split(",")] if whole else []
    if whole is None or not all(items):
        return None
    link, others = None, {}
    for item in items:
        assert item is not None
        key = (item.group(1) or "link").removeprefix("link_")
        if key == "link":
            link = item.group(2)
        else:
            others[key] = item.group(2)
    return whole.group(1).lower(), link, others


ELSEWHERE = {  # families whose usual link is another one: what they are called where it is, and that link
    "gamma": ("R's Gamma() and Bambi's gamma", "inverse"),
    "inverse_gaussian": ("R's inverse.gaussian() and Bambi's wald", "1/mu^2"),
}  # fmt: skip


OTHERWISE = {  # names of other packages' families whose parameters are others
    "negbinomial2": "brms's negbinomial2 is negbinomial here, and its sigma is 1/alpha",
    "asymmetriclaplace": "Bambi's asymmetriclaplace is asym_laplace here, whose mu is a quantile, too",
    "wald": "Bambi's wald is inverse_gaussian here, and its lam is the shape",
}  # fmt: skip


def link_notice(asked: str) -> list[str]:
    """What to say where a family is named without a link, and has another one elsewhere, or other parameters."""
    family, spelled = read_family(asked), _spelled(asked)
    otherwise = OTHERWISE.get(spelled_name(asked))
    if otherwise:
        return [otherwise]
    if family.name not in ELSEWHERE or family.name in REGISTERED or spelled is None or spelled[1] is not None:
        return []
    (theirs, usual), name, link = ELSEWHERE[family.name], family.name, family.link.name
    return [
        f"the family {name} has the {link} link here; {theirs} have the {usual} one, "
        f"whose coefficients are others ({name}({link}) says that this is meant)"
    ]


def _meant(name: str, link: str | None, family: object) -> str:
    told = next((text for names, text in ABSENT.items() if name in names), None)
    if name in OF_BAMBI:
        there = f"Bambi has it: hiermod.model(formula, data, family={name!r}) says which lines fit it there"
        return f" {told} {there}." if told else f" {there}."
    if told is not None:
        return f" {told}"
    if name in MEANT and link is not None and link in LINKS.get(MEANT[name], ())[1:]:  # type: ignore[call-overload]
        return f" Did you mean '{MEANT[name]}({link})'?"
    meant = [MEANT[name]] if name in MEANT else nearest(str(family), known(), cutoff=ALIKE)
    return f" Did you mean {' or '.join(map(repr, meant))}?" if meant else ""


def require_free(family: Family, replaced: bool) -> None:
    """Refuse a name that hiermod uses, and one that another record has, unless that is to be replaced.

    Raises
    ------
    ModelError
        With what to do.
    """
    name = family.name
    if (own := ALIASES.get(name, name)) in FAMILIES:
        other = "" if own == name else f", another word for {own!r}"
        raise ModelError(f"The family name {name!r} is hiermod's{other}. Choose another one, such as 'my_{own}'.")
    if not replaced and name in REGISTERED and REGISTERED[name] != _guarded(family):
        raise ModelError(
            f"A family {name!r} is registered already, with another record. Choose another name, or say replace=True: "
            "fits keep the record they were made with."
        )


def add(family: Family) -> None:
    """Let models name a family whose record is sound."""
    REGISTERED[family.name] = replace(_guarded(family), link=link_of(family.links[0], family.kind))


@dataclass(frozen=True)
class Guarded:
    """A function of a family from outside: its errors say whose they are."""

    function: Callable[..., Any]
    family: str
    name: str

    def __call__(self, *arguments: Any) -> Any:
        """Call it.

        Raises
        ------
        ModelError
            If it fails.
        """
        try:
            return self.function(*arguments)
        except HiermodError:
            raise
        except Exception as error:
            raise ModelError(
                f"The family {self.family}: {self.name} fails: {error!r}. Mend it, register the record with "
                "replace=True, and fit again."
            ) from error


def _guarded(family: Family) -> Family:
    """The family with its own functions guarded; the defaults need none."""
    own: dict[str, Any] = {field.name: getattr(family, field.name) for field in fields(family)}
    defaults = {field.name: field.default for field in fields(family)}
    guarded: dict[str, Any] = {
        name: Guarded(value, family.name, name)
        for name, value in own.items()
        if callable(value) and value is not defaults[name] and not isinstance(value, Guarded)
    }
    return replace(family, **guarded)


def _reduced(family: Family) -> Any:
    """A family of this registry pickles by its name; another one by value, its functions too.

    A pickle by the names of its functions could be read only where they are found again, which in a notebook they are
    not.
    """
    if family.base is not None:
        return (bounded, (family.base,))
    if is_built_in(family):
        return (_of_categories, (str(family), family.categories, family.errors, family.added))
    import cloudpickle

    return (_restored, (cloudpickle.dumps({field.name: getattr(family, field.name) for field in fields(family)}),))


def _of_categories(name: str, categories: tuple[Level, ...], errors: Any = "", added: tuple[str, ...] = ()) -> Family:
    family = read_family(name)
    if errors:
        return with_errors(family, errors)
    return family.of_categories(categories).with_parameters(added) if categories else family


def _restored(content: bytes) -> Family:
    """A family from outside; where none of its name is registered, as in a new process, it is from now on."""
    import cloudpickle

    family = Family(**cloudpickle.loads(content))
    if family.name not in REGISTERED:
        add(family)
    return family


copyreg.pickle(Family, _reduced)


def choose_family(
    family: Family | None, response: ResponseRows, constant: bool = False
) -> tuple[Family, str]:  # fmt: skip
    """Return the family, inferred from the response where none is given, and the notice that says so.

    A two-part response is binomial, booleans and 0/1 are bernoulli, real numbers gaussian. A response may be `constant`
    where the model says by itself whether that is enough.

    Raises
    ------
    DataError
        If the family does not take this response, or a numeric response is constant.
    """
    leveled = isinstance(response, SingleRows) and response.kind == "level"
    if isinstance(response, SingleRows) and leveled and not _takes_levels(family, response):
        refuse_levels(response.name, response.levels, bool(response.declared))
    chosen, reason = _choose(family, response)
    limited = bounded(chosen) if isinstance(response, BoundedRows) else None
    if isinstance(response, TallyRows) and chosen.statistic != "categories":
        _refuse_tallies(chosen, response)
    if isinstance(response, SingleRows) and response.transformed:
        if chosen.kind not in ("real", "positive", "unit", "count"):
            raise DataError(f"The family {chosen} takes a response as it is, not {response.name}.")
        reason += f"; answers are on the scale of {response.name}"
    (chosen.check or CHECKS[chosen.kind])(chosen.name, response)
    if not constant:
        _refuse_constant(chosen, response)
    chosen = limited or chosen
    if not is_built_in(chosen):
        _refuse_undefined(chosen, response)
    if isinstance(response, SingleRows | TallyRows) and chosen.statistic == "categories":
        chosen = chosen.of_categories(response.categories)
    if isinstance(response, MeasuredRows) and response.measured is not None:
        chosen = with_errors(chosen, response.measured.kind, str(response.measured))
    return chosen, f"family {chosen}{reason}{_remark(chosen, response)}"


def _takes_levels(family: Family | None, response: SingleRows) -> bool:
    """Whether a family takes a response of levels: one of categories, or, where there are two, one of successes."""
    if family is None:
        return False
    return family.statistic == "categories" or (family.is_rate and len(response.levels) == 2)


def _remark(family: Family, response: ResponseRows) -> str:
    """What may not be meant: one value only, or 0/1 taken as numbers."""
    if isinstance(response, TallyRows):
        return _of_columns(response, family.kind == "ordered")
    if isinstance(response, SingleRows) and family.statistic == "categories":
        return _of_categories_found(response, family.kind == "ordered")
    if family.zeros and not _has_zeros(response):
        share, base = family.auxiliary[-1], family.name.removeprefix("hurdle_").removeprefix("zero_inflated_")
        without = "" if family.counts and family.zeros == "hurdle" else f" ({base} is the family without it)"
        return f"; no response is 0, so that {share} is as near 0 as its prior lets it be{without}"
    if "zoi" in family.auxiliary and isinstance(response, SingleRows) and not np.isin(response.values, (0, 1)).any():
        return (
            "; no response is 0 or 1, so that zoi is as near 0 as its prior lets it be (beta is the family without it)"
        )
    if isinstance(response, BoundedRows):
        return _beyond(family, response)
    if not isinstance(response, SingleRows) or not response.binary:
        return ""
    if response.levels:
        failure, success = response.levels
        other = f"{quote(response.name)}[{str(failure)!r}] for the other"
        return f"; success={str(success)!r}, the second level as in R; {other}"
    if not family.is_rate:
        return "; the response is 0/1, whose rate family='bernoulli' would model"
    return f"; every response is {response.values[0]:g}" if response.constant else ""


def _beyond(family: Family, response: BoundedRows) -> str:
    """That means of right-censored times go beyond what was seen."""
    if family.limited_mean is None or not (response.code == RIGHT).any():
        return ""
    last = f"{response.upper.max():.4g}"
    return f"; its mean goes beyond the largest {response.name}, {last}: outcome='mean<={last}' ends there"


def _of_categories_found(response: SingleRows, ordered: bool) -> str:
    """The categories that were found in their order, or the reference, and categories that do not occur."""
    categories, said = response.categories, ""
    absent = [level for level in categories if response.declared and level not in response.levels]
    if absent:
        several, alone = len(absent) > 1, _prior_alone(response) if ordered else ""
        said = (
            f"; {enumerate_names(absent)} {'do' if several else 'does'} not occur: the prior alone tells of "
            f"{'them' if several else 'it'}{alone} (drop categories that cannot be)"
        )
    if response.unused:
        one = len(response.unused) == 1
        said = (
            f"; {enumerate_names(response.unused)} {'does' if one else 'do'} not occur, and {'is' if one else 'are'} "
            "left out"
        )
    numbers = not response.levels and categories[-1] - categories[0] + 1 > len(categories)  # type: ignore[operator]
    if numbers:
        said = "; numbers between these that do not occur are no categories (an ordered factor can have such)"
    first = "" if ordered else f"; {categories[0]} is the reference"
    return f"; {len(categories)} categories, {_listed(categories, ordered)}{first}{said}"


def _of_columns(response: TallyRows, ordered: bool) -> str:
    """The categories that columns count, and those of which there is none."""
    categories, total = response.categories, response.times @ response.counts
    absent = [name for name, count in zip(categories, total, strict=True) if not count]
    said = f"; of {enumerate_names(absent)} there is none: the prior alone tells of such" if absent else ""
    first = "" if ordered else f"; {categories[0]} is the reference"
    return f"; {total.sum():,.0f} counts of {len(categories)} categories, {_listed(categories, ordered)}{first}{said}"


def _listed(categories: tuple[Level, ...], ordered: bool) -> str:
    return (" < " if ordered else ", ").join(map(str, categories))


def _refuse_tallies(family: Family, response: TallyRows) -> NoReturn:
    """Refuse counts of several categories for a family of one number a row."""
    if family.is_rate:
        first, *others = response.categories
        raise DataError(
            f"The family {family} has successes and failures, two columns, and {response.name} counts "
            f"{len(response.categories)} categories. All of them: family='categorical', or none. One against the rest: "
            f"cbind({first}, {' + '.join(map(str, others))})."
        )
    raise DataError(
        f"The family {family} takes one number a row, and {response.name} counts {len(response.categories)} "
        "categories. Say family='categorical', or none; 'cumulative' where they stand in their order."
    )


def _prior_alone(response: SingleRows) -> str:
    """The thresholds of which data say nothing, or nothing but what they say of the one before."""
    known = [place for place, level in enumerate(response.categories) if level in response.levels]
    inner = [place + 1 for place in range(known[0], known[-1]) if place not in known]
    free = [*range(1, known[0] + 1), *inner, *range(known[-1] + 1, len(response.categories))]
    return ", and of " + ", ".join(f"Intercept[{place}]" for place in free[:SHOWN])


def _has_zeros(response: ResponseRows) -> bool:
    assert not isinstance(response, TallyRows)
    values = response.successes if isinstance(response, TrialsRows) else response.values
    return bool((values == 0.0).any())


def _choose(family: Family | None, response: ResponseRows) -> tuple[Family, str]:
    if family is not None:
        return family, ""
    if isinstance(response, TallyRows):
        return categorical.CATEGORICAL, " (the response has counts of each category)"
    if isinstance(response, TrialsRows):
        return rates.BINOMIAL, " (the response has successes and trials)"
    if response.kind == "bool" or response.binary:
        return rates.BERNOULLI, " (the response is 0/1)"
    hint = "; for counts say family='poisson' or 'negbinomial'" if response.whole else ""
    hint += ", for ratings 'cumulative'" if hint and len(np.unique(response.values)) <= RATINGS else ""
    return real.GAUSSIAN, f" (the response is numeric{hint})"


def _refuse_constant(family: Family, response: ResponseRows) -> None:
    """A constant number says nothing of its spread; all successes do say something of a rate, under a proper prior."""
    if family.is_rate or isinstance(response, TrialsRows | TallyRows):
        return
    if response.constant and response.levels:
        only = str(response.levels[int(response.values[0])])
        raise DataError(
            f"The response {response.name!r} is {only!r} in every row, so that nothing varies which could be modelled."
        )
    if response.constant:
        raise DataError(
            f"The response {response.name!r} is constant ({response.values[0]:g} in every row), so that nothing varies "
            "which could be modelled. Add rows; counts of events among known numbers of trials may be all equal: s/n."
        )


MOST_LOOKED_AT = 10_000


def _refuse_undefined(family: Family, response: ResponseRows) -> None:
    """Refuse responses at which a density from outside is no finite number, at their own mean."""
    assert not isinstance(response, TallyRows)
    if isinstance(response, TrialsRows):
        parts: tuple[np.ndarray, ...] = (response.successes, response.trials)
        mean, index = (response.successes.sum() + 0.5) / (response.trials.sum() + 1.0), None
    else:
        parts = (response.values, np.ones(len(response.values))) if family.is_rate else (response.values,)
        family = family.base or family
        mean, index = (
            np.clip(response.values.mean(), 1e-3, 1 - 1e-3) if family.is_rate else response.values.mean(),
            response,
        )
    parts = tuple(part[:MOST_LOOKED_AT] for part in parts)
    with np.errstate(all="ignore"):
        eta = np.full(len(parts[0]), family.link.forward(family.transform(mean)))
        parameters = [np.full(len(eta), number) for number in usual_parameters(family)]
        seen = family.log_density(NUMPY, parts, family.linear(np.nan_to_num(eta)), *parameters)
    if len(bad := np.flatnonzero(~np.isfinite(seen))):
        value = first_wrong(index, bad) if index is not None else f"{parts[0][bad[0]]:g} of {parts[1][bad[0]]:g}"
        raise DataError(
            f"The log density of the family {family} is {seen[bad[0]]:g} at the response {value}. Such responses need "
            "another family, or a check= in its record that refuses them."
        )
