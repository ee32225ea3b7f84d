"""What of a response is averaged, its mean or its median, and whether that has a posterior mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hiermod.answers.group_effects import Groups, Reading, read_groups
from hiermod.choices import OUTCOMES
from hiermod.errors import AnswerError, did_you_mean, enumerate_names
from hiermod.modeling.protocol import ModelSpec

SHOWN = 3


@dataclass(frozen=True)
class Outcome:
    """An outcome of a question.

    Parameters
    ----------
    name : {"mean", "median"}
        What of the response.
    has_mean : bool
        Whether it has a posterior mean. Where it has none, estimates are posterior medians, and nothing has an
        expected loss.
    why : str
        What readers should know where it has none; empty where it has one.
    """

    name: str = "mean"
    has_mean: bool = True
    why: str = ""

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
        If it is neither, or the family's median is no simple function of its parameters.
    """
    name, family = "mean" if outcome is None else outcome, spec.family
    if name not in OUTCOMES:
        raise AnswerError(f"outcome={outcome!r}.{did_you_mean(str(outcome), OUTCOMES)}")
    if name == "median" and family.median_link is None:
        raise AnswerError(f"outcome='median': answers know no median of family {family}. Its mean is the outcome.")
    if spec.has_posterior_mean(name, frozenset(reading.value for reading in groups.values())):
        return Outcome(name)
    averaged = any(reading in (Reading.NEW, Reading.POPULATION) for reading in groups.values())
    what = f"the {name} of {spec.formula.response.name}"
    offer = (
        ""
        if name == "median" or averaged or family.median_link is None
        else " Ask for outcome='median', which has both."
    )
    return Outcome(
        name, False,
        f"under these priors {what} has no posterior mean, and no choice has an expected loss.{offer}",
    )  # fmt: skip
