"""The part of `Fit` that says how well it predicts, so that models can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hiermod.modeling.definition import Defined
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    from hiermod.answers.scoring.leave_one_out import LeaveOneOut
    from hiermod.answers.scoring.validation import CrossValidation, Design


class Comparison:
    """Cross-validation."""

    _posterior: Posterior
    _defined: Defined

    def loo(self, *, max_refits: int = 0, progress: bool = True) -> LeaveOneOut:
        """Expected log predictive density of each row left out (PSIS-LOO), as ArviZ gives it for the raw rows.

        An observation is a row of your data. Each distinct one is computed once and counted as often as it occurs, in
        the sum and in its standard error; a row with a frequency weight counts that often. Densities hold all their
        constants, and are those of the response as the formula has it: of ``log(y)`` where it says so.

        Parameters
        ----------
        max_refits : int
            At most so many distinct rows, those of the largest Pareto k above what is reliable, are left out by a fit
            without them. `hiermod.compare` does so by itself.
        progress : bool
            Whether to count these fits on stderr.

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
        from hiermod.answers.scoring.held_out import Runs
        from hiermod.answers.scoring.leave_one_out import leave_one_out

        return leave_one_out(self._posterior, max_refits, Runs(progress))

    def kfold(
        self, k: int = 10, *, by: str | Sequence[str] | None = None, stratify: str | Sequence[str] | None = None,
        seed: int | None = None, progress: bool = True,
    ) -> CrossValidation:  # fmt: skip
        """Expected log predictive density of rows in `k` folds, each left out by a fit of the others.

        Fits are of cells: nothing is read again, and the model keeps its coding and its priors, those of all rows.
        Equal rows of a cell are shared among folds by a multivariate hypergeometric draw.

        Parameters
        ----------
        k : int
            How many folds.
        by : str or list of str, optional
            Columns whose groups are kept whole; the standard error is then over groups. Effects of groups that a fold
            leaves out are drawn from their population.
        stratify : str or list of str, optional
            Columns, or the response, whose values are spread evenly over the folds.
        seed : int, optional
            Of the folds.
        progress : bool
            Whether to count fits on stderr.

        Returns
        -------
        CrossValidation

        Raises
        ------
        AnswerError
            If ``pooling="beta"``, or there are not so many rows or groups.

        Examples
        --------
        >>> found = fit.kfold(2, seed=1, progress=False)
        >>> found.n, int(found.pointwise["times"].sum())
        (400, 400)
        """
        from hiermod.answers.scoring.validation import Design

        return self._validated(Design("kfold", k, by, stratify, seed=seed), progress)

    def logo(
        self, group: str | None = None, *, score: str = "joint", max_refits: int = 20, progress: bool = True
    ) -> CrossValidation:
        """Expected log predictive density of each group, had the model seen no row of it: leave one group out.

        The effects of the group are not set to zero but integrated over their population, by quadrature within each
        draw. The posterior without the group comes from importance sampling, or from a fit without it where Pareto k
        says that this is not reliable.

        Parameters
        ----------
        group : str, optional
            A grouping factor, or a column of the data; not needed where the model has one factor.
        score : {"joint", "rows"}
            ``"joint"`` scores the rows of a group together, log p(y_g | y_-g); ``"rows"`` each by itself. Standard
            errors are over groups in both.
        max_refits : int
            At most so many groups are left out by fits.
        progress : bool
            Whether to count these fits on stderr.

        Returns
        -------
        CrossValidation

        Raises
        ------
        AnswerError
            If there is no such group; if the score is ``"rows"`` and ``pooling="beta"``.

        Examples
        --------
        >>> found = fit_of_variants.logo(progress=False)
        >>> list(found.pointwise.columns)
        ['variant', 'rows', 'elpd', 'pareto_k', 'refitted', 'unreliable']
        """
        from hiermod.answers.scoring.validation import Design

        return self._validated(Design("logo", group=group, score=score, max_refits=max_refits), progress)

    def _validated(self, design: Design, progress: bool) -> CrossValidation:
        from hiermod.answers.scoring.held_out import Runs
        from hiermod.answers.scoring.validation import scores_of, validated

        name = str(self._posterior.spec.formula)
        return validated(scores_of({name: self._posterior}, self._defined.data, design, Runs(progress)))
