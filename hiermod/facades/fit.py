"""`Fit`: a sampled model and the questions that can be asked of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hiermod.answers import effects, estimates, rates, shrinkage
from hiermod.answers.answer import Answer
from hiermod.facades.plots import FitPlots
from hiermod.modeling.definition import Defined
from hiermod.sampling.checks import CheckReport, check
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings
from hiermod.sampling.storage import StoredFit, save

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from hiermod.facades.model import Model
    from hiermod.show.summary import Summary


class Fit:
    """A posterior with its model. Made by `hiermod.fit`, `hiermod.load` and `Model.fit`.

    In every method, ``by`` is a column or a list of columns; ``data`` another frame of rows to average over instead of
    the fitted data, with ``weights`` naming its column of weights; and ``groups`` says whose rate is meant:
    ``"observed"`` takes each row's own group, ``"typical"`` effects at zero, ``"new"`` one unseen group, and
    ``"population"`` the mean over the population of groups.
    """

    def __init__(self, defined: Defined, posterior: Posterior, asked: Settings, model: Model) -> None:
        self._defined, self._posterior, self._asked = defined, posterior, asked
        self.model = model

    def __repr__(self) -> str:
        chains, draws = self._posterior.shape
        return f"<hiermod.Fit {self.model.formula}, family {self.model.family}, {chains} x {draws} draws>"

    @property
    def posterior(self) -> xr.Dataset:
        """The draws, dims ``chain, draw``; coefficients in the user's coding, on the link scale."""
        return self._posterior.dataset

    @property
    def idata(self) -> xr.DataTree:
        """The draws and the sampler's statistics, as ArviZ takes them."""
        return self._posterior.tree

    @property
    def cells(self) -> pd.DataFrame:
        """The compressed table that the model saw."""
        return self.model.cells

    @property
    def notices(self) -> list[str]:
        """What was inferred from the data, and what happened in sampling."""
        return [*self._defined.notices, *self._posterior.notices]

    @property
    def plot(self) -> FitPlots:
        """Plots: ``fit.plot.rates()``, ``.effect()``, ``.shrinkage()``, ``.trace()``."""
        return FitPlots(self, self._posterior)

    def summary(self, prob: float = 0.95) -> Summary:
        """What lme4 and brms print: family, formula, groups, fixed effects, R-hat, ESS; its repr is the text.

        Examples
        --------
        >>> list(fit.summary().fixed.index)
        ['Intercept', 'treated']
        """
        from hiermod.show.summary import summarize

        return summarize(self._posterior, self.check(), prob)

    def check(self) -> CheckReport:
        """R-hat, bulk and tail ESS, divergences, E-BFMI, tree depth: each with its figure, verdict and next step.

        Examples
        --------
        >>> fit.check().passed
        True
        """
        return check(self._posterior)

    def fixef(self, prob: float = 0.95) -> pd.DataFrame:
        """Common coefficients on the link scale: ``estimate, sd, lower, upper``, a row per term.

        Examples
        --------
        >>> list(fit.fixef().columns)
        ['estimate', 'sd', 'lower', 'upper']
        """
        return estimates.fixef(self._posterior, prob)

    def ranef(self) -> dict[str, pd.DataFrame]:
        """Posterior means of the varying effects on the link scale, by group (index: levels; columns: terms).

        Examples
        --------
        >>> fit.ranef()["country"].shape
        (2, 2)
        """
        return estimates.ranef(self._posterior)

    def coef(self) -> dict[str, pd.DataFrame]:
        """Common plus varying effects on the link scale, by group.

        Examples
        --------
        >>> list(fit.coef()["country"].columns)
        ['Intercept', 'treated']
        """
        return estimates.coef(self._posterior)

    def varcorr(self, prob: float = 0.95) -> pd.DataFrame:
        """Variance components: ``grp, var1, var2, vcov, sdcor, lower, upper``, as lme4's ``as.data.frame(VarCorr(m))``.

        Examples
        --------
        >>> list(fit.varcorr()["var1"])
        ['Intercept', 'treated', 'Intercept']
        """
        return estimates.varcorr(self._posterior, prob)

    def rates(
        self,
        by: Any = None,
        *,
        data: Any = None,
        groups: str = "observed",
        prob: float = 0.95,
        weights: str | None = None,
    ) -> Answer:
        """Expected response per cell of `by`, back-transformed, averaged over rows within each draw.

        The `by` variables that stand in common terms are set to each level for all rows; grouping factors and other
        columns select rows.

        Returns
        -------
        Answer
            Its table has the `by` columns and ``estimate, lower, upper`` (posterior mean, equal-tailed interval).

        Raises
        ------
        AnswerError
            If a column is not in the model, or a group has no observed effect.

        Examples
        --------
        >>> list(fit.rates(by=["country", "treated"]).table.columns)
        ['country', 'treated', 'estimate', 'lower', 'upper']
        """
        return rates.rates(self._posterior, by, data, weights, groups, prob)

    def effect(
        self,
        variable: str,
        *,
        by: Any = None,
        control: Any = None,
        scale: str = "difference",
        groups: str = "observed",
        data: Any = None,
        rope: tuple[float, float] | None = None,
        goal: str = "max",
        prob: float = 0.95,
        weights: str | None = None,
    ) -> Answer:
        """Contrast of each level of `variable` with the control, all arms averaged over the same rows.

        Parameters
        ----------
        variable : str
            A 0/1, boolean or categorical column, or a grouping factor.
        control : optional
            The level to compare with; the first one otherwise.
        scale : {"difference", "ratio", "lift", "odds_ratio", "link"}
            Estimates are means; medians for ratio, lift and odds ratio.
        rope : (low, high), optional
            A region of practical equivalence on the scale of the contrast; adds ``prob_rope``.
        goal : {"max", "min"}
            ``"min"`` where lower is better.

        Returns
        -------
        Answer
            Its table has the `by` columns, ``contrast, estimate, lower, upper, prob_beats, expected_loss``; the last is
            E[max(control - treated, 0)] on the response scale, what choosing the treated is expected to cost.

        Raises
        ------
        AnswerError
            If the variable, control, scale, groups or rope cannot be used.

        Examples
        --------
        >>> table = fit.effect("treated", by="country").table
        >>> list(table["contrast"])
        ['1 vs 0', '1 vs 0']
        """
        return effects.effect(
            self._posterior, variable, by, control, scale, groups, data, weights, rope, goal, prob
        )

    def prob_beats(
        self,
        variable: str,
        *,
        by: Any = None,
        control: Any = None,
        groups: str = "observed",
        data: Any = None,
        goal: str = "max",
        weights: str | None = None,
    ) -> pd.DataFrame:
        """P(level beats control): a row per `by` cell (``all`` without), a column per other level.

        Examples
        --------
        >>> fit.prob_beats("treated", by="country").shape
        (2, 1)
        """
        return effects.prob_beats_table(self._posterior, variable, by, control, groups, data, weights, goal)

    def pairwise(
        self,
        variable: str,
        *,
        by: Any = None,
        groups: str = "observed",
        data: Any = None,
        goal: str = "max",
        weights: str | None = None,
    ) -> pd.DataFrame:
        """P(row beats column) for every pair of levels; the diagonal is empty.

        Examples
        --------
        >>> fit_of_variants.pairwise("variant").shape
        (4, 4)
        """
        return effects.pairwise(self._posterior, variable, by, groups, data, weights, goal)

    def best(
        self,
        variable: str,
        *,
        by: Any = None,
        groups: str = "observed",
        data: Any = None,
        goal: str = "max",
        weights: str | None = None,
    ) -> pd.DataFrame:
        """P(best), expected loss (response scale) and expected rank of each level.

        Examples
        --------
        >>> fit_of_variants.best("variant")["prob_best"].idxmax()
        'D'
        """
        return effects.best(self._posterior, variable, by, groups, data, weights, goal)

    def shrinkage(self, group: str | None = None, prob: float = 0.95) -> pd.DataFrame:
        """Raw rate, pooled rate and how far it was pulled, per level of a grouping factor, on the response scale.

        ``pull`` is (raw - estimate) / (raw - estimate without the group's effect); NaN where the denominator is within
        its Monte Carlo error.

        Examples
        --------
        >>> list(fit_of_variants.shrinkage().columns)
        ['n', 'raw', 'estimate', 'lower', 'upper', 'pull']
        """
        return shrinkage.shrinkage(self._posterior, group, prob)

    def predict(self, data: Any = None, kind: str = "mean", groups: str = "observed", prob: float = 0.95) -> Answer:
        """Predictions for each row of `data` (the fitted cells without it).

        Parameters
        ----------
        kind : {"mean", "link", "response"}
            Expected response, linear predictor, or new responses (successes, counts or values).

        Examples
        --------
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"country": ["Canada"], "treated": [1]})
        >>> len(fit.predict(rows).table)
        1
        """
        return rates.predict(self._posterior, data, kind, groups, prob)

    def save(self, path: str | Path) -> None:
        """Write the fit to a NetCDF file, from which `hiermod.load` gives the same answers to the last bit.

        Examples
        --------
        >>> fit.save(folder / "country.nc")
        """
        save(StoredFit(self._defined, self._posterior, self._asked), path)
