"""All families by their names, and the one that a response gets."""

from __future__ import annotations

import copyreg
import re
from dataclasses import replace
from typing import Any

from hiermod.data.columns.responses import ResponseRows, SingleRows, TrialsRows
from hiermod.errors import DataError, did_you_mean, nearest
from hiermod.families import counts, positive, rates, real
from hiermod.families.links import LINKS as LINKS_BY_NAME
from hiermod.families.names import ALIASES, LINKS, MEANT
from hiermod.families.record import Family

RECORDS = {family.name: family for kin in (rates, counts, real, positive) for family in kin.FAMILIES}
FAMILIES = {name: RECORDS[name] for name in LINKS}
SPELLING = re.compile(r"\s*(\w+)\s*(?:\(\s*(?:(?:link\s*=\s*)?['\"]?(\w+)['\"]?\s*)?\))?\s*")


def read_family(family: str) -> Family:
    """Read a family's name, with a link in brackets where it is not the usual one: ``"binomial(probit)"``."""
    spelled = SPELLING.fullmatch(family) if isinstance(family, str) else None
    name, link = (spelled.group(1).lower(), spelled.group(2)) if spelled else ("", None)
    name = ALIASES.get(name, name)
    if name not in FAMILIES:
        raise DataError(f"There is no family {family!r}.{_meant(name, family)} The families are {', '.join(FAMILIES)}.")
    record = FAMILIES[name]
    if link is not None and link not in record.links:
        raise DataError(f"The family {name} has no link {link!r}.{did_you_mean(link, record.links)}")
    return replace(record, link=LINKS_BY_NAME[link]) if link else record


def _meant(name: str, family: object) -> str:
    meant = [MEANT[name]] if name in MEANT else nearest(str(family), FAMILIES)
    return f" Did you mean {' or '.join(map(repr, meant))}?" if meant else ""


def _by_name(family: Family) -> Any:
    """A family of this registry pickles by its name, another one by value."""
    return (read_family, (str(family),)) if family.name in FAMILIES else object.__reduce_ex__(family, 2)


copyreg.pickle(Family, _by_name)


def choose_family(family: Family | None, response: ResponseRows) -> tuple[Family, str]:
    """Return the family, inferred from the response where none is given, and the notice that says so.

    A two-part response is binomial, booleans and 0/1 are bernoulli, real numbers gaussian.

    Raises
    ------
    DataError
        If the family does not take this response, or a numeric response is constant.
    """
    chosen, reason = _choose(family, response)
    if isinstance(response, SingleRows) and response.transformed:
        if chosen.kind not in ("real", "positive"):
            raise DataError(f"The family {chosen} takes a response as it is, not {response.name}.")
        reason += f"; answers are on the scale of {response.name}"
    chosen.check(chosen.name, response)
    _refuse_constant(chosen, response)
    return chosen, f"family {chosen}{reason}{_remark(chosen, response)}"


def _remark(family: Family, response: ResponseRows) -> str:
    """What may not be meant: one value only, or 0/1 taken as numbers."""
    if not isinstance(response, SingleRows) or not response.binary:
        return ""
    if not family.is_rate:
        return "; the response is 0/1, whose rate family='bernoulli' would model"
    return f"; every response is {response.values[0]:g}" if response.constant else ""


def _choose(family: Family | None, response: ResponseRows) -> tuple[Family, str]:
    if family is not None:
        return family, ""
    if isinstance(response, TrialsRows):
        return rates.BINOMIAL, " (the response has successes and trials)"
    if response.kind == "bool" or response.binary:
        return rates.BERNOULLI, " (the response is 0/1)"
    hint = "; for counts say family='poisson' or 'negbinomial'" if response.whole else ""
    return real.GAUSSIAN, f" (the response is numeric{hint})"


def _refuse_constant(family: Family, response: ResponseRows) -> None:
    """A constant number says nothing of its spread; all successes do say something of a rate, under a proper prior."""
    if family.is_rate or isinstance(response, TrialsRows):
        return
    if response.constant:
        raise DataError(
            f"The response {response.name!r} is constant ({response.values[0]:g} in every row), so that nothing varies "
            "which could be modelled. Add rows; counts of events among known numbers of trials may be all equal: s/n."
        )
