"""The part of `Fit` that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiermod.answers.averaging.query import Arguments
from hiermod.answers.deciding import number_needed, verdicts
from hiermod.interface.notices import announce
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd


class Decisions:
    """Verdicts, and numbers needed to treat."""

    _posterior: Posterior

    def decide(
        self,
        variable: str,
        *,
        by: Any = None,
        loss: float | None = None,
        threshold: float = 0.0,
        control: Any = None,
        groups: str = "observed",
        data: Any = None,
        weights: str | None = None,
        at: Any = None,
        expected: Any = None,
        goal: str = "max",
        prob: float = 0.95,
    ) -> verdicts.Decision:
        """Ship, keep testing or stop: a verdict for each `by` cell, by expected losses.

        The level with the least expected loss is shipped, or the control kept ("stop"), as soon as the expected loss of
        doing so is at most `loss`; until then the verdict is "keep testing". The rule is printed below the table.

        Parameters
        ----------
        variable : str
            The arms, as in `effect`.
        loss : float, optional
            The expected loss, on the response scale, that is small enough to act; 1 % of the control's mean otherwise
            (of identity links it has to be given).
        threshold : float
            The least gain over the control that is worth shipping, on the response scale.
        control : optional
            The level to stop with; the first one otherwise.
        goal : {"max", "min"}
            ``"min"`` where lower is better.
        expected : dict or list, optional
            The share of the fitted units that each level was to get, as in `hiermod.srm`; equal shares otherwise. A
            warning stands below the table where the sizes of the arms are not what these shares give.
        by, groups, data, weights, at, prob
            As in `effect`.

        Returns
        -------
        Decision
            With ``table`` (``verdict``, ``level``, its difference from the control ``estimate, lower, upper``,
            ``prob_exceeds``, ``loss_of_shipping``, ``loss_of_stopping``, ``loss_limit``), ``rule``, in words, and
            ``warning``, empty unless the arms have other sizes than expected; that is a notice on stderr, too.

        Raises
        ------
        AnswerError
            If an argument cannot be used, or `loss` is needed and not given.

        Examples
        --------
        >>> list(fit.decide("treated", by="country", loss=0.005).table["verdict"])
        ['ship', 'ship']
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, control=control, threshold=threshold, goal=goal, prob=prob
        )  # fmt: skip
        found = verdicts.decide(self._posterior, arguments, loss, expected)
        if found.warning:
            announce([found.warning])
        return found

    def nnt(
        self,
        variable: str,
        *,
        by: Any = None,
        control: Any = None,
        contrast: Any = "control",
        groups: str = "observed",
        data: Any = None,
        weights: str | None = None,
        at: Any = None,
        goal: str = "max",
        prob: float = 0.95,
    ) -> pd.DataFrame:
        """Number needed to treat: how many for one success more (one fewer, with ``goal="min"``) than the control has.

        It is one over the difference of rates, and so is its interval: two pieces, through infinity, where that of the
        difference spans zero. Negative numbers are of harm. Parameters are those of `effect`.

        Returns
        -------
        pandas.DataFrame
            The `by` columns, ``contrast, estimate, lower, upper, pieces, interval``. With one piece the interval is
            from ``lower`` to ``upper``; with two it is everything up to ``lower`` and from ``upper`` on.

        Raises
        ------
        AnswerError
            If the family has no rates, or an argument cannot be used.

        Examples
        --------
        >>> fit.nnt("treated", by="country")["pieces"].to_list()
        [1, 2]
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, contrast, control, goal=goal, prob=prob
        )  # fmt: skip
        return number_needed.number_needed(self._posterior, arguments)
