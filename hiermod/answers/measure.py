"""What an expected response measures: its name, whether it is a share, its link."""

from __future__ import annotations

from dataclasses import dataclass

from hiermod.formula.expressions import Column
from hiermod.formula.nodes import LevelResponse, Response, SingleResponse
from hiermod.modeling.beta_pooling import BetaSpec
from hiermod.modeling.spec import Spec


@dataclass(frozen=True)
class Measure:
    """The expected response of a model: what it is called, whether it is a share, and its link."""

    name: str
    percent: bool
    link: str

    @property
    def word(self) -> str:
        """``rate`` or ``mean``."""
        return "rate" if self.percent else "mean"

    def text(self, value: float) -> str:
        """A value in words."""
        return f"{value:.1%}" if self.percent else f"{value:.4g}"


UNKNOWN = Measure("expected response", percent=False, link="link")


def measure_of(spec: Spec | BetaSpec) -> Measure:
    """The rate of successes, or the mean of the response."""
    is_rate = spec.family.is_rate
    return Measure(outcome_name(spec.formula.response, is_rate), percent=is_rate, link=spec.family.link.name)


def outcome_name(response: Response, is_rate: bool) -> str:
    """What a response's expectation is called: ``success rate``, ``mean Reaction``."""
    if isinstance(response, LevelResponse):
        return f"{response.column}={response.level} rate"
    if isinstance(response, SingleResponse):
        return f"{response.name} rate" if is_rate else f"mean {response.name}"
    successes = response.successes
    return f"{_singular(successes.name) if isinstance(successes, Column) else 'success'} rate"


def _singular(noun: str) -> str:
    """``successes`` to ``success``, ``clicks`` to ``click``; what is no plain plural stays."""
    if noun.endswith("sses"):
        return noun[:-2]
    plural = noun.endswith("s") and len(noun) > 3 and not noun.endswith(("ss", "us", "is"))
    return noun[:-1] if plural else noun
