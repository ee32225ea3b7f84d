"""Sensitivity to priors as a report: power-scaling, claims under other priors, and a verdict in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import check_prob
from hiermod.answers.averaging.query import Arguments, read_effect
from hiermod.answers.checks.sensitivity import (
    AS_FITTED,
    SLOPE,
    THRESHOLD,
    arms_of,
    changes,
    conclusions,
    power_scaling,
    refit,
    strength,
)
from hiermod.answers.parameters.hypotheses import chief_draws
from hiermod.errors import AnswerError, visible
from hiermod.sampling.posterior import Posterior
from hiermod.show.style import probability_text
from hiermod.tabular import text_table
from hiermod.terminal import lines_of, width

MOST_SENTENCES = 8
MOVED = 0.5  # of half the interval, from which an estimate without a chance counts as moved


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How much depends on the priors; its repr is the verdict with both tables.

    Parameters
    ----------
    power : pandas.DataFrame
        A row per parameter: how fast its posterior moves as the ``prior`` or the ``likelihood`` is raised to a power,
        and a ``diagnosis`` where the first is 0.05 or more.
    conclusions : pandas.DataFrame
        A row per quantity and ``priors``: ``estimate, lower, upper, prob_beats`` and the ``mc_error`` of the last.
    threshold : float
        From which chance on something is concluded.
    notices : tuple of str
        What happened in the refits.
    """

    power: pd.DataFrame
    conclusions: pd.DataFrame
    threshold: float
    notices: tuple[str, ...] = field(default=())

    @property
    def changed(self) -> pd.DataFrame:
        """The conclusions that other priors change: rows of `conclusions`.

        Examples
        --------
        >>> len(fit.sensitivity("treated").changed)
        0
        """
        return changes(self.conclusions, self.threshold)

    @property
    def verdict(self) -> str:
        """Whether a conclusion would change, and which parameters follow their prior.

        Examples
        --------
        >>> fit.sensitivity("treated").verdict.splitlines()[0]
        'No conclusion would change with priors half or twice as wide.'
        """
        return "\n".join([*self._about_conclusions(), self._about_power()])

    def __repr__(self) -> str:
        room = width()
        tables = [
            text_table(self.conclusions, ("priors", "quantity"), "{:.3g}").text(room),
            text_table(self.power.reset_index(), ("parameter",), "{:.3f}").text(room),
        ]
        notes = [lines_of(visible(f"Note: {notice}."), room) for notice in self.notices]
        return "\n\n".join([lines_of(visible(self.verdict), room), *tables, *notes])

    def _about_conclusions(self) -> list[str]:
        changed, table = self.changed, self.conclusions
        lines = [self._changed(row) for row in changed.to_dict("records")]
        names = [name for name in dict.fromkeys(table["quantity"]) if name not in set(changed["quantity"])]
        lines += [self._kept(table[table["quantity"] == name]) for name in names]
        if len(lines) > MOST_SENTENCES:
            lines = [*lines[:MOST_SENTENCES], f"{len(lines) - MOST_SENTENCES} more stand in .conclusions."]
        said = "A conclusion would change" if len(changed) else "No conclusion would change"
        return [f"{said} with priors half or twice as wide.", *lines]

    def _changed(self, row: dict[Any, Any]) -> str:
        quantity, priors = str(row["quantity"]), row["priors"]
        before, after = self._fitted(quantity), float(row["prob_beats"])
        bound = f"{100 * self.threshold:.4g}%"
        if strength(before, self.threshold) == "open":
            what = f"it would pass {bound}" if after > 0.5 else f"the contrary would pass {bound}"
        else:
            what = f"it would no longer pass {bound}" if before > 0.5 else f"the contrary would no longer pass {bound}"
        chances = f"{_chance_of(quantity)} of {probability_text(before)} becomes {probability_text(after)}"
        return f"- {quantity}: {chances} with {priors}: {what}."

    def _fitted(self, quantity: str) -> float:
        table = self.conclusions
        row = table[(table["quantity"] == quantity) & (table["priors"] == AS_FITTED)]
        return float(row["prob_beats"].iloc[0])

    def _kept(self, rows: pd.DataFrame) -> str:
        base, others = rows[rows["priors"] == AS_FITTED].iloc[0], rows[rows["priors"] != AS_FITTED]
        low, high = float(others["estimate"].min()), float(others["estimate"].max())
        estimate = f"the estimate of {base['estimate']:.3g} lies between {low:.3g} and {high:.3g}"
        if np.isnan(base["prob_beats"]):
            reach = MOVED * (base["upper"] - base["lower"]) / 2.0
            moved = max(abs(low - base["estimate"]), abs(high - base["estimate"])) > reach
            return f"- {base['quantity']}: {estimate}{', a change that matters' if moved else ''}."
        before = strength(base["prob_beats"], self.threshold)
        edge = any(strength(chance, self.threshold) != before for chance in others["prob_beats"])
        bounds = [probability_text(float(pick(others["prob_beats"]))) for pick in (np.min, np.max)]
        span = bounds[0] if bounds[0] == bounds[1] else f"{bounds[0]} to {bounds[1]}"
        note = ", on the edge within Monte Carlo error" if edge else ""
        chances = f"{_chance_of(base['quantity'])} of {probability_text(base['prob_beats'])}"
        return f"- {base['quantity']}: {chances} stays at {span}{note}; {estimate}."

    def _about_power(self) -> str:
        strong = self.power[self.power["prior"] >= THRESHOLD]
        if strong.empty:
            return f"No parameter follows its prior: all prior sensitivities are below {THRESHOLD}."
        named = ", ".join(f"{name} ({row['prior']:.2f}, {row['diagnosis']})" for name, row in strong.iterrows())
        return f"Priors speak in {named}: their prior sensitivity is {THRESHOLD} or more."


def _chance_of(quantity: str) -> str:
    return "P(> 0)" if quantity.startswith(SLOPE) else "P(beats)"


def assess(posterior: Posterior, claim: Arguments, threshold: float, announce: Callable[[str], None]) -> Sensitivity:
    """Power-scale, fit again under other priors, and put both together.

    Raises
    ------
    ModelError
        If the prior is improper, or not known here.
    AnswerError
        If draws are too few, or what is claimed cannot be asked.
    """
    check_prob(claim.prob)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0.5 < threshold < 1.0:
        raise AnswerError(f"threshold={threshold!r}: a chance between 0.5 and 1 is needed, such as 0.95.")
    power = power_scaling(posterior, chief_draws(posterior))
    for name in arms_of(posterior.spec, claim):
        for notice in read_effect(posterior.spec, replace(claim, variable=name)).notices:
            announce(notice)
    as_fitted = conclusions({AS_FITTED: posterior}, claim)
    fits, notices = refit(posterior, announce)
    table = pd.concat([as_fitted, conclusions(fits, claim)], ignore_index=True) if fits else as_fitted
    return Sensitivity(power, table, threshold, tuple(notices))
