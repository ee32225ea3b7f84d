"""What of a response is averaged, its mean or its median, and whether that has a posterior mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hiermod.answers.group_effects import Groups, Reading, read_groups
from hiermod.choices import OUTCOMES
from hiermod.errors import AnswerError, did_you_mean
from hiermod.modeling.protocol import ModelSpec


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
    remark : str
        What readers of the estimates should know; empty where they are means.
    """

    name: str = "mean"
    has_mean: bool = True
    remark: str = ""


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
        f"Estimates are posterior medians: under these priors {what} has no posterior mean, and no choice has an "
        f"expected loss.{offer}",
    )  # fmt: skip
