"""`Model`: a formula with its data, not sampled yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiermod.interface.fit import Fit
from hiermod.interface.notices import announce
from hiermod.modeling.definition import Defined
from hiermod.modeling.pooled import BetaSpec
from hiermod.modeling.prior_table import prior_summary
from hiermod.sampling.external_draws import posterior_from_draws
from hiermod.sampling.run import build_pymc, choose_sampler, sample
from hiermod.sampling.sampler import Sampler
from hiermod.sampling.settings import Settings, check_switch

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm

    from hiermod.interface.prior_draws import PriorDraws
    from hiermod.show.explanation import Explanation


class Model:
    """A hierarchical model of some data, before sampling. Made by `hiermod.model`.

    Attributes
    ----------
    cells : pandas.DataFrame
        The compressed table that the model sees.
    notices : list of str
        What was inferred from the data.

    Examples
    --------
    >>> fit.model
    <hiermod.Model success ~ treated + (1 + treated | country), family bernoulli, 4 cells>
    """

    def __init__(self, defined: Defined) -> None:
        self._defined = defined
        self._samplers: dict[str, Sampler] = {}

    def __repr__(self) -> str:
        spec = self._defined.spec
        return f"<hiermod.Model {spec.formula}, family {spec.family}, {len(spec.cells)} cells>"

    @property
    def cells(self) -> pd.DataFrame:
        """The compressed table: a row per cell, its predictors and sufficient statistics."""
        return self._defined.spec.cells.table()

    @property
    def notices(self) -> list[str]:
        """What was inferred: family, reference levels, rows dropped."""
        return list(self._defined.notices)

    @property
    def formula(self) -> str:
        """The formula, spelled out."""
        return str(self._defined.spec.formula)

    @property
    def family(self) -> str:
        """The family, with its link where that is not the usual one."""
        return str(self._defined.spec.family)

    def fit(
        self,
        *,
        draws: int = 1000,
        tune: int | None = None,
        chains: int = 4,
        cores: int | None = None,
        seed: int | None = None,
        target_accept: float | None = None,
        engine: str = "auto",
        progress: bool = True,
    ) -> Fit:
        """Sample the posterior. Parameters are those of `hiermod.fit`; a second call does not compile again.

        Raises
        ------
        SamplingError
            If a setting is out of range, or there are no draws to keep.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("successes/trials ~ (1|variant)", hm.example("variants"))
        >>> fit = model.fit(seed=1, progress=False)  # doctest: +SKIP
        """
        check_switch("progress", progress)
        return self.sampled(Settings(draws, tune, chains, cores, seed, target_accept, engine), progress)

    def sampled(self, settings: Settings, progress: bool) -> Fit:
        """Sample with settings that were checked before."""
        engine = settings.engine
        if engine not in self._samplers:
            self._samplers[engine] = choose_sampler(self._defined.spec, engine, lambda text: announce([text]))
        sampler = self._samplers[engine]
        announce([str(sampler.engine)])
        posterior = sample(self._defined.spec, sampler, settings, progress)
        announce(posterior.run_notices)
        return Fit(self._defined, posterior, self)

    def with_draws(self, draws: Any) -> Fit:
        """A `Fit` of this model from draws that somebody else made, such as ``pm.sample(model=model.pymc())``.

        Parameters
        ----------
        draws : xarray.DataTree or xarray.Dataset
            A posterior with dims ``chain, draw`` and a variable for each parameter, named as in `pymc`.

        Raises
        ------
        SamplingError
            If a parameter is missing or has another shape.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("successes/trials ~ (1|variant)", hm.example("variants"))
        >>> fit = model.with_draws(fit_of_variants.idata)
        >>> list(fit.rates(by="variant").table.columns)
        ['variant', 'estimate', 'lower', 'upper']
        """
        return Fit(self._defined, posterior_from_draws(self._defined.spec, draws), self)

    def explain(self) -> Explanation:
        """The model in words: what each term means, how each predictor is coded, the priors; equations in a notebook.

        Examples
        --------
        >>> print(str(fit.model.explain()).splitlines()[0])
        success ~ treated + (1 + treated | country)
        """
        from hiermod.show.explanation import explain

        return explain(self._defined.spec)

    def prior_summary(self) -> pd.DataFrame:
        """Every prior in numbers.

        Returns
        -------
        pandas.DataFrame
            Columns ``parameter, prior, scale, stated_at``: the last says where the numeric predictors stand for the
            prior of a coefficient (their weighted means), empty where that plays no part.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("success ~ treated + (1 + treated | country)", hm.example("country"))
        >>> print(model.prior_summary()[["parameter", "prior"]].to_string(index=False))
                  parameter             prior
                  Intercept StudentT(3, 0, 1)
                    treated StudentT(3, 0, 1)
              sd(1|country)     HalfNormal(1)
        sd(treated|country)     HalfNormal(1)
               cor(country)            LKJ(2)
        """
        return prior_summary(self._defined.spec)

    def sample_prior(self, draws: int = 1000, seed: int | None = None) -> PriorDraws:
        """Draw from the prior, to see what it says before any data: of rates, of effects, of responses.

        Draws are independent and made by NumPy: nothing is compiled. They depend on the data where priors do: on its
        columns' means and standard deviations, its groups, and its response on an identity or log link.

        Parameters
        ----------
        draws : int
            How many.
        seed : int, optional
            Makes them repeatable.

        Returns
        -------
        PriorDraws
            Of which the same is asked as of a fit: ``rates, effect, predict, ppc``, and what is `implied`.

        Raises
        ------
        ModelError
            With ``pooling="beta"``, whose hyperprior is improper.
        SamplingError
            If a setting is out of range, or draws of so many groups would be too many.

        Examples
        --------
        >>> prior = fit.model.sample_prior(1000, seed=1)
        >>> list(prior.rates(by="treated").table.columns)
        ['treated', 'estimate', 'lower', 'upper']
        """
        from hiermod.interface.prior_draws import PriorDraws
        from hiermod.sampling.prior_draws import sample_prior

        return PriorDraws(self, sample_prior(self._defined.spec, draws, seed))

    def pymc(self) -> pm.Model:
        """The `pymc.Model` on the cells; its free variables carry Bambi's names.

        Its log density is that of the model on raw rows, up to a constant.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("successes/trials ~ (1|variant)", hm.example("variants"))
        >>> [variable.name for variable in model.pymc().free_RVs]
        ['Intercept', '1|variant_sigma', '1|variant_offset']
        """
        return build_pymc(self._defined.spec)

    def bambi(self) -> Any:
        """The equivalent `bambi.Model` on the rows behind the cells, its density equal up to a constant.

        Raises
        ------
        ModelError
            If Bambi cannot express the model: ``pooling="beta"``, or terms that it codes differently.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("successes/trials ~ (1|variant)", hm.example("variants"))
        >>> model.bambi().formula.main
        'p(successes, trials) ~ 1 + (1 | variant)'
        """
        from hiermod.errors import ModelError
        from hiermod.modeling.bambi.bridge import build_bambi

        if isinstance(self._defined.spec, BetaSpec):
            raise ModelError("Bambi has no pooling='beta'. model.pymc() gives the PyMC model.")
        return build_bambi(self._defined.spec)
