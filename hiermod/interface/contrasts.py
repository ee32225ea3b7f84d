"""The part of `Fit` that asks how effects differ, and how the response changes with a number."""

from __future__ import annotations

from typing import Any

from hiermod.answers.answer import Answer
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.estimands import interactions, slopes
from hiermod.sampling.posterior import Posterior


class Contrasts:
    """Interactions and slopes."""

    _posterior: Posterior

    def interaction(
        self,
        variable: str,
        across: Any,
        *,
        by: Any = None,
        contrast: Any = "control",
        control: Any = None,
        between: Any = "control",
        scale: str = "difference",
        groups: str = "observed",
        data: Any = None,
        weights: str | None = None,
        at: Any = None,
        threshold: float | None = None,
        goal: str = "max",
        prob: float = 0.95,
    ) -> Answer:
        """How the effect of `variable` differs between the levels of `across`: a difference of differences.

        Effects are those of ``effect(variable, by=across)``, and differ in each draw: differences, lifts and link-scale
        effects are subtracted, ratios and odds ratios divided.

        Parameters
        ----------
        variable : str
            The variable whose effect it is, as in `effect`.
        across : str or dict
            The column across which the effect is compared; ``{"x": [0, 1]}`` gives values.
        contrast, control
            Which levels of `variable` are compared, as in `effect`.
        between : {"control", "pairs", "sequential", "mean"} or dict
            Which levels of `across` are compared: with the first one, if nothing else is said.
        threshold : float, optional
            Adds ``prob_exceeds``, the probability that the interaction is beyond it.
        by, scale, groups, data, weights, at, goal, prob
            As in `effect`.

        Returns
        -------
        Answer
            Its table has the `by` columns, ``contrast, between, estimate, lower, upper, prob_beats``; the last is the
            probability that the effect is larger (smaller, with ``goal="min"``) at the first level of ``between``.

        Raises
        ------
        AnswerError
            If an argument cannot be used, or `across` has one level only.

        Examples
        --------
        >>> fit.interaction("treated", "country").table[["contrast", "between"]].to_numpy().tolist()
        [['1 vs 0', 'China vs Canada']]
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, contrast, control, across, between, scale,
            threshold=threshold, goal=goal, prob=prob,
        )  # fmt: skip
        return interactions.interaction(self._posterior, arguments)

    def slopes(
        self,
        variable: str,
        *,
        by: Any = None,
        scale: str = "response",
        groups: str = "observed",
        data: Any = None,
        weights: str | None = None,
        at: Any = None,
        threshold: float | None = None,
        goal: str = "max",
        prob: float = 0.95,
    ) -> Answer:
        """Average slope of the expected response in a numeric predictor (average marginal effect).

        The derivative at each row's own value, averaged over rows within each draw. That of the model is exact; what
        functions make of the column, such as ``poly(x, 2)``, is differentiated by central differences that are
        extrapolated to a step of zero and checked.

        Parameters
        ----------
        variable : str
            A numeric column.
        scale : {"response", "link"}
            The derivative of the expected response, or of the linear predictor.
        at : dict, optional
            Values at which predictors stand in every row, `variable` among them: ``at={"x": 0}`` is the slope at 0.
        threshold : float, optional
            Adds ``prob_exceeds``, the probability that the slope is beyond it.
        goal : {"max", "min"}
            ``"min"`` where lower is better: then ``prob_beats`` is that of a slope below zero.
        by, groups, data, weights, prob
            As in `rates`; ``by={"x": [0, 1]}`` gives the slope at both values.

        Returns
        -------
        Answer
            Its table has the `by` columns and ``estimate, lower, upper, prob_beats``; per unit of the column.

        Raises
        ------
        AnswerError
            If the column holds levels, only groups rows, enters in steps (``cut``, ``round``), or has a kink.

        Examples
        --------
        >>> list(fit.slopes("treated", by="country", scale="link").table.columns)
        ['country', 'estimate', 'lower', 'upper', 'prob_beats']
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, scale=scale, threshold=threshold, goal=goal, prob=prob
        )  # fmt: skip
        return slopes.slopes(self._posterior, arguments)
