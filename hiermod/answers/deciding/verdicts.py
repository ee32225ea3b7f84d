"""`decide`: ship, keep testing or stop, by expected losses; and the number needed to treat."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers import draws
from hiermod.answers.answer import interval
from hiermod.answers.averaging.columns import check_results
from hiermod.answers.averaging.query import Arguments, Query, read_effect
from hiermod.answers.deciding.sample_ratio import mismatch
from hiermod.answers.estimands.effects import Arms, compare_arms, effect
from hiermod.answers.mixed import refuse_other_rows
from hiermod.errors import AnswerError, visible
from hiermod.sampling.posterior import Posterior
from hiermod.tabular import Tabular, text_table
from hiermod.terminal import lines_of, width

SHIP, KEEP_TESTING, STOP, UNKNOWN = "ship", "keep testing", "stop", "not estimable"
USUAL_LOSS = 0.01  # of the control's mean, where no loss is given
COMPUTED = (
    "verdict", "level", "estimate", "lower", "upper", "prob_exceeds", "loss_of_shipping", "loss_of_stopping",
    "loss_limit",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Decision(Tabular):
    """Verdicts with the rule behind them.

    Parameters
    ----------
    table : pandas.DataFrame
        A row per `by` cell: the `by` columns, ``verdict``; ``level``, the arm with the least expected loss beside the
        control; its difference from the control, ``estimate, lower, upper``, and the probability that this is beyond
        the threshold, ``prob_exceeds``; ``loss_of_shipping`` it and ``loss_of_stopping`` with the control, both
        expected and on the response scale; and ``loss_limit``, what is small enough.
    rule : str
        The rule, in words.
    warning : str
        What speaks against comparing the arms at all: that they are not of the sizes that were expected. Empty if
        nothing does.
    notices : tuple of str
        What is to be known of how it was decided.
    """

    table: pd.DataFrame
    rule: str
    warning: str = ""
    notices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        keys, room = list(takewhile(lambda name: name != "verdict", self.table)), width()
        shown = text_table(self.table, keys).text(room)
        return "\n\n".join([shown, *(lines_of(visible(part), room, "") for part in (self.rule, self.warning) if part)])

    def _repr_html_(self) -> str:
        from html import escape

        shown = self.table.to_html(index=False, escape=True, float_format=lambda number: f"{number:.4g}")
        warning = f"<p><strong>{escape(self.warning)}</strong></p>" if self.warning else ""
        return visible(f"{shown}<p>{escape(self.rule)}</p>{warning}")


def decide(posterior: Posterior, arguments: Arguments) -> Decision:
    """Choose the arm with the least expected loss in each cell, if that loss is small enough; else test on.

    Every arm but the control has to be better by `threshold`, so in each draw the control gets that much as a start. A
    loss is what the best arm of a draw is then better than the one chosen.
    """
    query = read_effect(posterior.spec, arguments)
    question, place = query.question, query.control
    sign, margin, variable = question.sign, question.threshold or 0.0, str(question.variable)
    if margin < 0:
        raise AnswerError(f"threshold={arguments.threshold!r}: the least gain that is worth shipping is 0 or more.")
    check_results(query.cells, COMPUTED)
    if not query.outcome.has_mean:
        raise AnswerError(f"decide() weighs expected losses. {query.outcome.remark}")
    arms, means = _all_arms(posterior, arguments)
    limits = _limits(posterior, arguments.loss, means[:, place].mean(axis=-1))
    value = sign * means
    value[:, place] += margin
    losses = (value.max(axis=1, keepdims=True) - value).mean(axis=-1)
    others = np.array([arm for arm in range(len(arms.levels)) if arm != place])
    known = ~np.isnan(losses).any(axis=1)
    cells, chosen = np.arange(len(losses)), others[losses[:, others].argmin(axis=1)]
    shipping, stopping = losses[cells, chosen], losses[:, place]
    verdict = np.where(shipping < stopping, SHIP, STOP)
    gain = means[cells, chosen] - means[:, place]
    table = arms.keys.assign(
        verdict=np.where(known, np.where(np.minimum(shipping, stopping) > limits, KEEP_TESTING, verdict), UNKNOWN),
        level=[arms.levels[arm] for arm in chosen],
        **interval(gain, question.prob),
        prob_exceeds=np.where(known, draws.wins(sign * gain, margin, 1).mean(axis=1), np.nan),
        loss_of_shipping=shipping,
        loss_of_stopping=stopping,
        loss_limit=limits,
    )
    warning = mismatch(posterior, variable, arguments.expected)
    rule = _rule(variable, arms.levels[place], arguments.loss, margin, sign, _short(query))
    return Decision(table, rule, warning, arms.notices)


def _all_arms(posterior: Posterior, arguments: Arguments) -> tuple[Arms, np.ndarray]:
    """The arms, and the draws of their means; of a mixture those of each posterior, one after the other."""
    first, *others = [compare_arms(part, read_effect(part.spec, arguments)) for part in posterior.each]
    refuse_other_rows([list(arms.keys.itertuples(index=False, name=None)) for arms in (first, *others)])
    return first, np.concatenate([arms.draws for arms in (first, *others)], axis=-1)


def _limits(posterior: Posterior, loss: Any, control: np.ndarray) -> np.ndarray:
    """The expected loss that is small enough in each cell."""
    if loss is None:
        if posterior.spec.family.kind == "real":
            raise AnswerError(
                f"loss= is needed: family {posterior.spec.family} has no natural size. Give the expected loss, in "
                "units of the response, that is too small to go on testing for."
            )
        return USUAL_LOSS * control
    if isinstance(loss, bool) or not isinstance(loss, Real) or not np.isfinite(float(loss)) or float(loss) <= 0:
        raise AnswerError(f"loss={loss!r}: a number above 0, on the response scale, such as 0.001.")
    return np.full(len(control), float(loss))


def _short(query: Query) -> str:
    """The outcome in a word, where there is one."""
    functional = query.outcome.functional
    return functional.name if functional.name in ("mean", "median") else query.question.measure.name


def _rule(variable: str, control: Any, loss: Any, margin: float, sign: int, outcome: str) -> str:
    limit = f"{float(loss):.4g}" if loss is not None else f"{USUAL_LOSS:.0%} of the {outcome} of {variable} {control}"
    better = "higher" if sign > 0 else "lower"
    start = f" by at least {margin:.4g}" if margin else ""
    return (
        f"Rule: a level of {variable} is worth shipping if it is {better} than {control}{start}. The one with the "
        f"least expected loss is held against {control}. Ship it if its expected loss is less than that of stopping "
        f"with {control}, and stop if not; but keep testing where the lesser of both losses is more than {limit}."
    )


OF_NUMBER_NEEDED = ("contrast", "estimate", "lower", "upper", "pieces", "interval")


def number_needed(posterior: Posterior, arguments: Arguments) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """One over the difference of rates, with the inverted interval, two pieces where it spans zero; and notices.

    1/d has no mean where d may be zero, so the ends and the estimate are those of the difference, inverted.
    """
    family = posterior.spec.family
    if not family.is_rate:
        chance = f" fit.effect(..., outcome={family.categories[-1]!r}) is of a chance." if family.categories else ""
        raise AnswerError(f"A number needed to treat is of rates; family {family} has none.{chance}")
    query = read_effect(posterior.spec, arguments)
    check_results(query.cells, OF_NUMBER_NEEDED)
    answer = effect(posterior, arguments)
    draws_of = answer.draws.transpose("row", "chain", "draw").to_numpy().reshape(len(answer.table), -1)
    gain = interval(query.question.sign * draws_of, query.question.prob)
    low, high = gain["lower"], gain["upper"]
    with np.errstate(divide="ignore"):
        estimate = np.where(gain["estimate"] == 0.0, np.inf, 1.0 / gain["estimate"])
        from_low = np.where(low == 0.0, np.inf, 1.0 / low)
        from_high = np.where(high == 0.0, -np.inf, 1.0 / high)
    spans = (low < 0.0) & (high > 0.0)
    lower, upper = np.where(spans, from_low, from_high), np.where(spans, from_high, from_low)
    texts = [_text(*piece) for piece in zip(lower, upper, spans, strict=True)]
    table = answer.table[[*query.cells, "contrast"]].assign(
        estimate=estimate, lower=lower, upper=upper, pieces=np.where(spans, 2, 1), interval=texts
    )  # fmt: skip
    return table, answer.notices


def _text(lower: float, upper: float, spans: bool) -> str:
    """``5 to 20``; ``up to -40, and from 5 on``."""
    return f"up to {lower:.4g}, and from {upper:.4g} on" if spans else f"{lower:.4g} to {upper:.4g}"
