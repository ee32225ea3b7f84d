"""`number_needed`: how many have to be treated for one success more, by inverting differences of rates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hiermod.answers.answer import interval
from hiermod.answers.averaging.columns import check_results
from hiermod.answers.averaging.query import Arguments, read_effect
from hiermod.answers.estimands.effects import compared
from hiermod.errors import AnswerError
from hiermod.sampling.posterior import Posterior

COMPUTED = ("contrast", "estimate", "lower", "upper", "pieces", "interval")


def number_needed(posterior: Posterior, arguments: Arguments) -> pd.DataFrame:
    """One over the difference of rates, with the inverted interval: two pieces where that of the difference spans zero.

    1/d has no mean where d may be zero, so the ends and the estimate are those of the difference, inverted.
    """
    if not posterior.spec.family.is_rate:
        raise AnswerError(f"A number needed to treat is of rates; family {posterior.spec.family} has none.")
    query = read_effect(posterior.spec, arguments)
    check_results(query.cells, COMPUTED)
    contrasts = compared(posterior, query)
    gain = interval(query.question.sign * contrasts.flat, query.question.prob)
    low, high = gain["lower"], gain["upper"]
    with np.errstate(divide="ignore"):
        estimate = np.where(gain["estimate"] == 0.0, np.inf, 1.0 / gain["estimate"])
        from_low = np.where(low == 0.0, np.inf, 1.0 / low)
        from_high = np.where(high == 0.0, -np.inf, 1.0 / high)
    spans = (low < 0.0) & (high > 0.0)
    lower, upper = np.where(spans, from_low, from_high), np.where(spans, from_high, from_low)
    texts = [_text(*own) for own in zip(lower, upper, spans, strict=True)]
    return contrasts.keys.assign(
        estimate=estimate, lower=lower, upper=upper, pieces=np.where(spans, 2, 1), interval=texts
    )  # fmt: skip


def _text(lower: float, upper: float, spans: bool) -> str:
    """``5 to 20``; ``up to -40, and from 5 on``."""
    return f"up to {lower:.4g}, and from {upper:.4g} on" if spans else f"{lower:.4g} to {upper:.4g}"
