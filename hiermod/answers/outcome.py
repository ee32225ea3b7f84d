"""What of a response is averaged, such as its mean or a quantile, and whether that has a posterior mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from hiermod.answers.group_effects import Groups, Reading, read_groups
from hiermod.errors import AnswerError, did_you_mean, enumerate_names
from hiermod.families import outcomes
from hiermod.families.functionals import Functional
from hiermod.modeling.protocol import ModelSpec

SHOWN = 3


@dataclass(frozen=True)
class Outcome:
    """An outcome of a question.

    Parameters
    ----------
    functional : Functional
        What of the distribution of a response.
    has_mean : bool
        Whether it has a posterior mean. Where it has none, estimates are posterior medians, and nothing has an
        expected loss.
    why : str
        What readers should know where it has none; empty where it has one.
    """

    functional: Functional
    has_mean: bool = True
    why: str = ""

    @property
    def name(self) -> str:
        """As it was asked: ``mean``, ``q90``, ``>30``."""
        return self.functional.name

    @property
    def remark(self) -> str:
        """What readers of its estimates should know; empty where they are means."""
        return f"Estimates are posterior medians: {self.why}" if self.why else ""


def linear_remark(spec: ModelSpec, parameter: str = "mu") -> str:
    """What readers of linear predictors should know: which of their parts have no posterior mean; empty without any."""
    if not spec.predictors:
        return ""
    names = [name for block in spec.predictors[parameter].common.blocks for name in block.row_names()]
    for term in spec.groups:
        of = [effect.parameter for effect in term.effects for _ in effect.row_names]
        names += [key for key, own in zip(term.sd_keys(), of, strict=True) if own == parameter]
    without = [name for name in names if spec.finite_moments.get(name, np.inf) <= 1.0]
    if not without:
        return ""
    return (
        f"Estimates are posterior medians: under these priors {enumerate_names(without, SHOWN)} "
        f"{'have' if len(without) > 1 else 'has'} no posterior mean, so that a linear predictor has none."
    )


def outcome_notices(spec: ModelSpec, outcome: Any, groups: Any, parameter: Any = None) -> list[str]:
    """What to say beside a plain table of estimates."""
    remark = read_outcome(spec, outcome, read_groups(spec, groups), parameter).remark
    return [remark[0].lower() + remark[1:].rstrip(".")] if remark else []


def read_functional(spec: ModelSpec, outcome: Any, parameter: Any = None) -> Functional:
    """Read ``outcome=``, of which None is the mean, or ``parameter=``.

    Raises
    ------
    AnswerError
        If the family has no such outcome, or the model no linear predictor of such a parameter.
    """
    if parameter is None:
        return outcomes.read_outcome(spec.family, outcome)
    if outcome is not None:
        raise AnswerError(
            f"outcome={outcome!r} is of the response, parameter={parameter!r} of a parameter of its distribution: "
            "give one of them."
        )
    family, known = spec.family, [*spec.predictors]
    if family.kind == "category":
        known.remove("mu")  # the reference, which is 0
    if parameter in known:
        return outcomes.parameter_itself(family, parameter)
    if parameter in family.auxiliary:
        raise AnswerError(
            f"parameter={parameter!r} has one value for all rows, which fit.summary() shows. A linear predictor makes "
            f"it differ between rows: '{spec.formula.left} ~ ...; {parameter} ~ ...'."
        )
    raise AnswerError(
        f"parameter={parameter!r}: {_without(spec)}{did_you_mean(str(parameter), known) if known else ''}"
    )


def _without(spec: ModelSpec) -> str:
    what = "has no linear predictor of it." if spec.predictors else "has pooled rates, and no linear predictor."
    return f"the model {what}"


def _refuse_endless(spec: ModelSpec, functional: Functional, groups: Groups) -> None:
    """Refuse a mean over groups that is infinite: where the logarithm of what is averaged grows exponentially."""
    upper = functional.name not in ("median", *(f"q{percent}" for percent in range(51)))
    for term in spec.groups if upper and not (functional.share or functional.bounded) and functional.of == "mu" else ():
        for name in {effect.parameter for effect in term.effects} & {*spec.family.explosive}:
            if functional.needs(name) and groups[term.grouping.name] is Reading.POPULATION:
                raise AnswerError(
                    f"groups='population': {name} differs between the levels of {term.grouping.name}, and the mean "
                    f"over all that there might be, of the {functional.label.format(spec.formula.response.name)}, is "
                    "infinite. Ask for outcome='median', or for groups='typical' or 'new'."
                )


def read_outcome(spec: ModelSpec, outcome: Any, groups: Groups, parameter: Any = None) -> Outcome:
    """Read ``outcome=`` or ``parameter=``, and whether it has a posterior mean.

    Raises
    ------
    AnswerError
        If the family has no such outcome.
    """
    functional = read_functional(spec, outcome, parameter)
    _refuse_endless(spec, functional, groups)
    if spec.has_posterior_mean(functional, frozenset(reading.value for reading in groups.values())):
        return Outcome(functional)
    averaged = any(reading in (Reading.NEW, Reading.POPULATION) for reading in groups.values())
    response = spec.formula.response.name
    what = "the " + re.sub(r"^(mean|median) {}", r"\1 of {}", functional.label).format(response)
    offer = "" if functional.name != "mean" or averaged else _offer(spec)
    return Outcome(
        functional, False,
        f"under these priors {what} has no posterior mean, and no choice has an expected loss.{offer}",
    )  # fmt: skip


def _offer(spec: ModelSpec) -> str:
    median = outcomes.own_outcomes(spec.family).get("median")
    has_both = median is not None and spec.has_posterior_mean(median, frozenset({"observed"}))
    return " Ask for outcome='median', which has both." if has_both else ""
