"""What of a response is averaged, such as its mean or a quantile, and whether that has a posterior mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from hiermod.answers.group_effects import Groups, Reading, read_groups
from hiermod.errors import AnswerError, enumerate_names
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


def linear_remark(spec: ModelSpec) -> str:
    """What readers of linear predictors should know: which of their parts have no posterior mean; empty without any."""
    if not spec.predictors:
        return ""
    names = [name for block in spec.predictors["mu"].common.blocks for name in block.row_names()]
    names += [key for term in spec.groups for key in term.sd_keys()]
    without = [name for name in names if spec.finite_moments.get(name, np.inf) <= 1.0]
    if not without:
        return ""
    return (
        f"Estimates are posterior medians: under these priors {enumerate_names(without, SHOWN)} "
        f"{'have' if len(without) > 1 else 'has'} no posterior mean, so that a linear predictor has none."
    )


def outcome_notices(spec: ModelSpec, outcome: Any, groups: Any) -> list[str]:
    """What to say beside a plain table of estimates."""
    remark = read_outcome(spec, outcome, read_groups(spec, groups)).remark
    return [remark[0].lower() + remark[1:].rstrip(".")] if remark else []


def read_outcome(spec: ModelSpec, outcome: Any, groups: Groups) -> Outcome:
    """Read ``outcome=``; None is the mean.

    Raises
    ------
    AnswerError
        If the family has no such outcome.
    """
    family = spec.family
    functional = outcomes.read_outcome(family, outcome)
    if functional.steps and Reading.POPULATION in groups.values():
        raise AnswerError(
            f"outcome={outcome!r}: the quantiles of counts are whole numbers, of which groups='population' would be a "
            "mean. Ask for groups='typical' or 'new', or for a chance such as outcome='>10'."
        )
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
