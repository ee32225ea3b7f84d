"""The part of `Fit` that says how well it predicts, so that models can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    from hiermod.answers.leave_one_out import LeaveOneOut


class Comparison:
    """Cross-validation."""

    _posterior: Posterior

    def loo(self) -> LeaveOneOut:
        """Expected log predictive density of each row left out (PSIS-LOO), as ArviZ gives it for the raw rows.

        An observation is a row of your data. Each distinct one is computed once and counted as often as it occurs, in
        the sum and in its standard error; a row with a frequency weight counts that often. Densities hold all their
        constants, and are those of the response as the formula has it: of ``log(y)`` where it says so.

        Returns
        -------
        LeaveOneOut
            With ``elpd, se, p, n``, the one-row ``table``, and ``pointwise``, a row per distinct observation with its
            Pareto k. Printing it prints a summary.

        Raises
        ------
        AnswerError
            If ``pooling="beta"``: its rates are integrated out, and a row has no density of its own.

        Examples
        --------
        >>> loo = fit.loo()
        >>> loo.n, len(loo.pointwise), loo.warning
        (400, 8, False)
        """
        from hiermod.answers.leave_one_out import leave_one_out

        return leave_one_out(self._posterior)
