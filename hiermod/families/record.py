"""Families: which response they take, which links they allow, which sufficient statistics they need."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from hiermod.data.columns.responses import LARGEST, ResponseRows, SingleRows, TrialsRows
from hiermod.data.sources.frames import row_name
from hiermod.errors import DataError, did_you_mean, nearest
from hiermod.families.links import LINKS, Link

USUAL_LINKS = {
    "bernoulli": ("logit", "probit", "cloglog"),
    "binomial": ("logit", "probit", "cloglog"),
    "gaussian": ("identity",),
    "poisson": ("log",),
    "negbinomial": ("log",),
    "student": ("identity",),
    "gamma": ("log",),
    "beta_binomial": ("logit", "probit", "cloglog"),
}
STATISTICS = {
    "bernoulli": "trials",
    "binomial": "trials",
    "gaussian": "real",
    "poisson": "count",
    "negbinomial": "values",
    "student": "values",
    "gamma": "values",
    "beta_binomial": "pairs",
}
AUXILIARY = {
    "gaussian": ("sigma",),
    "negbinomial": ("alpha",),
    "student": ("sigma", "nu"),
    "gamma": ("alpha",),
    "beta_binomial": ("kappa",),
}
OTHER_NAMES = {
    "negbinomial": ("negativebinomial", "negative_binomial", "negbin", "nb"),
    "student": ("t", "studentt", "student_t"),
    "beta_binomial": ("betabinomial",),
}
CANONICAL = {other: name for name, others in OTHER_NAMES.items() for other in others}
MEANT = {"normal": "gaussian", "logistic": "bernoulli", "logit": "bernoulli", "binom": "binomial",
         "quasipoisson": "negbinomial", "quasibinomial": "beta_binomial", "neg_binomial": "negbinomial"}  # fmt: skip
TRANSFORMABLE = ("gaussian", "student", "gamma")
SPELLING = re.compile(r"\s*(\w+)\s*(?:\(\s*(?:(?:link\s*=\s*)?['\"]?(\w+)['\"]?\s*)?\))?\s*")


@dataclass(frozen=True)
class Family:
    """A family with its link; `statistic` names what a cell must hold for it.

    With mean mu, ``negbinomial`` has the variance ``mu + mu²/alpha``, ``gamma`` the shape ``alpha`` and the rate
    ``alpha/mu``; the rates behind ``beta_binomial`` are ``Beta(mu·kappa, (1 - mu)·kappa)``. For ``student`` mu is the
    location: the median, and the mean where ``nu`` is above 1 and there is one.
    """

    name: str
    link: Link

    @property
    def statistic(self) -> str:
        """The sufficient statistics of a cell.

        ``trials``, ``count`` or ``real``; ``values`` and ``pairs`` where equal responses are all that can be counted.
        """
        return STATISTICS[self.name]

    @property
    def auxiliary(self) -> tuple[str, ...]:
        """The names of its parameters beside the mean, all of them positive."""
        return AUXILIARY.get(self.name, ())

    @property
    def scaled(self) -> bool:
        """Whether it has the scale `sigma` of a residual."""
        return "sigma" in self.auxiliary

    @property
    def counts(self) -> bool:
        """Whether the response is a count."""
        return self.name in ("poisson", "negbinomial")

    @property
    def is_rate(self) -> bool:
        """Whether the expected response is a rate of successes."""
        return self.statistic in ("trials", "pairs")

    def __str__(self) -> str:
        usual = USUAL_LINKS[self.name][0]
        return self.name if self.link.name == usual else f"{self.name}({self.link.name})"


def read_family(family: str) -> Family:
    """Read a family's name, with a link in brackets where it is not the usual one: ``"binomial(probit)"``."""
    found = SPELLING.fullmatch(family) if isinstance(family, str) else None
    name, link = (found.group(1).lower(), found.group(2)) if found else ("", None)
    name = CANONICAL.get(name, name)
    if name not in USUAL_LINKS:
        meant = [MEANT[name]] if name in MEANT else nearest(str(family), USUAL_LINKS)
        hint = f" Did you mean {' or '.join(map(repr, meant))}?" if meant else ""
        raise DataError(f"There is no family {family!r}.{hint} The families are {', '.join(USUAL_LINKS)}.")
    if link is not None and link not in USUAL_LINKS[name]:
        raise DataError(f"The family {name} has no link {link!r}.{did_you_mean(link, USUAL_LINKS[name])}")
    return Family(name, LINKS[link or USUAL_LINKS[name][0]])


def choose_family(family: str | None, response: ResponseRows) -> tuple[Family, str]:
    """Return the family, inferred from the response where none is given, and the notice that says so.

    A two-part response is binomial, booleans and 0/1 are bernoulli, real numbers gaussian.

    Raises
    ------
    DataError
        If the family does not take this response, or a numeric response is constant.
    """
    chosen, reason = _choose(family, response)
    if isinstance(response, SingleRows) and response.transformed:
        if chosen.name not in TRANSFORMABLE:
            raise DataError(f"The family {chosen} takes a response as it is, not {response.name}.")
        reason += f"; answers are on the scale of {response.name}"
    CHECKS[chosen.name](chosen.name, response)
    _refuse_constant(chosen, response)
    return chosen, f"family {chosen}{reason}{_remark(chosen, response)}"


def _remark(family: Family, response: ResponseRows) -> str:
    """What may not be meant: one value only, or 0/1 taken as numbers."""
    if not isinstance(response, SingleRows) or not response.binary:
        return ""
    if not family.is_rate:
        return "; the response is 0/1, whose rate family='bernoulli' would model"
    return f"; every response is {response.values[0]:g}" if response.constant else ""


def _choose(family: str | None, response: ResponseRows) -> tuple[Family, str]:
    if family is not None:
        return read_family(family), ""
    if isinstance(response, TrialsRows):
        return read_family("binomial"), " (the response has successes and trials)"
    if response.kind == "bool" or response.binary:
        return read_family("bernoulli"), " (the response is 0/1)"
    hint = "; for counts say family='poisson' or 'negbinomial'" if response.whole else ""
    return read_family("gaussian"), f" (the response is numeric{hint})"


def _refuse_constant(family: Family, response: ResponseRows) -> None:
    """A constant number says nothing of its spread; all successes do say something of a rate, under a proper prior."""
    if family.is_rate or isinstance(response, TrialsRows):
        return
    if response.constant:
        raise DataError(
            f"The response {response.name!r} is constant ({response.values[0]:g} in every row), so that nothing varies "
            "which could be modelled. Add rows; counts of events among known numbers of trials may be all equal: s/n."
        )


def _check_binomial(_: str, response: ResponseRows) -> None:
    if isinstance(response, SingleRows) and not response.binary:
        wrong = response.values[~np.isin(response.values, (0.0, 1.0))][0]
        raise DataError(
            f"A binomial family needs 0/1 values or successes out of trials; {response.name!r} holds {wrong:g}. "
            "Write successes/trials, or cbind(successes, failures)."
        )


def _check_bernoulli(name: str, response: ResponseRows) -> None:
    if isinstance(response, TrialsRows):
        raise DataError("The family bernoulli takes one 0/1 column; for successes out of trials say family='binomial'.")
    _check_binomial(name, response)


def _check_pairs(name: str, response: ResponseRows) -> None:
    if isinstance(response, SingleRows) or (response.trials <= 1.0).all():
        what = f"{response.name!r} is one column" if isinstance(response, SingleRows) else "here each row has one"
        raise DataError(
            f"The family {name} takes successes out of several trials; {what}. Single trials cannot show "
            "overdispersion: say family='bernoulli', or write successes/trials."
        )


def _check_real(name: str, response: ResponseRows) -> None:
    if isinstance(response, TrialsRows) or response.kind == "bool":
        raise DataError(f"The family {name} takes one numeric column; this response is successes, so say 'binomial'.")


def _check_positive(name: str, response: ResponseRows) -> None:
    _check_real(name, response)
    assert isinstance(response, SingleRows)
    wrong = np.flatnonzero(response.values <= 0.0)
    if len(wrong):
        raise DataError(
            f"The family {name} takes numbers above 0; {response.name!r} holds {_first(response, wrong)}. "
            "Where 0 is possible, another family fits, such as 'student'."
        )


def _check_counts(name: str, response: ResponseRows) -> None:
    if isinstance(response, TrialsRows):
        raise DataError(f"The family {name} takes one column of counts; for successes out of trials say 'binomial'.")
    if not response.whole:
        wrong = np.flatnonzero((response.values < 0) | (response.values != np.round(response.values)))
        raise DataError(f"Counts are whole numbers from 0 on; {response.name!r} holds {_first(response, wrong)}.")
    if (response.values > LARGEST).any():
        raise DataError(f"The counts in {response.name!r} are too large to be exact: {response.values.max():g}.")


def _first(response: SingleRows, wrong: np.ndarray) -> str:
    """The first wrong value, and where it stands."""
    place = int(wrong[0])
    where = f" ({row_name(response.index, place)})" if len(response.index) else ""
    return f"{response.values[place]:g}{where}"


CHECKS = {
    "bernoulli": _check_bernoulli,
    "binomial": _check_binomial,
    "gaussian": _check_real,
    "poisson": _check_counts,
    "negbinomial": _check_counts,
    "student": _check_real,
    "gamma": _check_positive,
    "beta_binomial": _check_pairs,
}
