"""`Fit`, a sampled model, and `Model`, the formula with its data before that.

What can be asked of a fit stands in files of its own, by subject. The two classes share this one because each names the
other: `Model.fit` gives a `Fit`, `Fit.model` its `Model`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hiermod.answers.answer import Answer
from hiermod.answers.averaging.named_groups import named_groups
from hiermod.answers.averaging.query import Arguments
from hiermod.choices import Engine
from hiermod.data.columns.values import Level
from hiermod.errors import visible
from hiermod.interface.arguments import documented
from hiermod.interface.notices import announce, announce_one
from hiermod.interface.parameters import Parameters
from hiermod.interface.plots import FitPlots
from hiermod.interface.predictions import Predictions
from hiermod.interface.prior_draws import PriorDraws
from hiermod.interface.questions import Questions
from hiermod.interface.refits import changed_model, changed_settings, refuse_unknown
from hiermod.interface.scores import Scores
from hiermod.modeling.definition import Defined
from hiermod.modeling.model_priors import prior_summary
from hiermod.sampling.checks import CheckReport, check
from hiermod.sampling.external_draws import posterior_from_draws
from hiermod.sampling.posterior import EachGroupError, Posterior
from hiermod.sampling.prior_draws import sample_prior
from hiermod.sampling.provenance import Provenance
from hiermod.sampling.run import choose_sampler, sample
from hiermod.sampling.settings import Sampler, Settings, check_switch
from hiermod.sampling.storage import StoredFit, save

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    import xarray as xr

    from hiermod.show.explanation import Explanation
    from hiermod.show.summary import Summary

LEAST_APART = 200_000  # groups, from which on some are read apart from the others


@documented
class Fit(Questions, Predictions, Parameters, Scores):
    """A posterior with its model. Made by `hiermod.fit`, `hiermod.load` and `Model.fit`.

    The arguments that questions share, such as ``by``, ``data`` and ``groups``, mean the same in all of them:
    ``help(hiermod.Fit.rates)`` and ``help(hiermod.Fit.effect)`` describe them.

    Examples
    --------
    >>> fit
    <hiermod.Fit success ~ treated + (1 + treated | country), family bernoulli, 4 x 1000 draws>
    """

    def __init__(self, model: Model, posterior: Posterior) -> None:
        self.model, self._known, self._own = model, model._known, posterior
        self._named: tuple[tuple[Level, ...], Posterior] | None = None

    def __repr__(self) -> str:
        chains, draws = self._drawn.shape
        return visible(f"<hiermod.Fit {self.model.formula}, family {self.model.family}, {chains} x {draws} draws>")

    def _repr_html_(self) -> str:
        """What a notebook shows: the summary."""
        return self.summary()._repr_html_()

    @property
    def _drawn(self) -> Posterior:
        """The draws, which may know groups by their patterns alone."""
        return self._own

    @cached_property
    def _posterior(self) -> Posterior:  # type: ignore[override]
        """The draws with all groups and their rows, which are read where the data is when something asks for them."""
        return self._with_groups(self._known.whole) if self._own.spec.cells.by_patterns else self._own

    @property
    def _defined(self) -> Defined:  # type: ignore[override]
        """The model with all groups and their rows."""
        return self._known.whole

    @property
    def _told(self) -> StoredFit:
        """What files and pages hold: all groups, but for those that are left where the data is."""
        if self._known.held is None:
            return StoredFit(self._known, self._own)
        return StoredFit(self._defined, self._posterior)

    def _answered[T](self, question: Callable[[Posterior, Arguments], T], arguments: Arguments) -> T:
        """The answer to a question, by patterns of groups where that is enough."""
        if self._own.spec.cells.by_patterns:
            (grouping,) = self._own.spec.cells.groupings.values()
            names = named_groups(arguments, grouping)
            shared = None if names is None else self._naming(names)
            if shared is not None:
                with suppress(EachGroupError):
                    return question(shared, arguments)
        return question(self._posterior, arguments)

    def _naming(self, names: tuple[Level, ...]) -> Posterior | None:
        """The draws with some groups by their names; None where all groups are here, or are read as soon."""
        if not names:
            return self._own
        if "_posterior" in vars(self) or sum(self.ngrps().values()) < LEAST_APART:
            return None
        if self._named is None or self._named[0] != names:
            known = self._known.naming(names)
            self._named = None if known is None else (names, self._with_groups(known))
        return None if self._named is None else self._named[1]

    def _with_groups(self, known: Defined) -> Posterior:
        from hiermod.sampling.by_marginal import refuse_other_patterns

        refuse_other_patterns(self._own.spec, known.spec)
        return replace(self._own, spec=known.spec)

    @property
    def posterior(self) -> xr.Dataset:
        """The draws, dims ``chain, draw``; coefficients in the user's coding, on the link scale.

        Examples
        --------
        >>> fit.posterior["treated"].dims
        ('chain', 'draw')
        """
        return self._drawn.dataset

    @property
    def idata(self) -> xr.DataTree:
        """The draws and the sampler's statistics, as ArviZ takes them.

        Examples
        --------
        >>> "posterior" in fit.idata.children
        True
        """
        return self._drawn.tree

    @property
    def cells(self) -> pd.DataFrame:
        """The compressed table that the model saw.

        Examples
        --------
        >>> list(fit.cells.columns)
        ['treated', 'country', 'successes', 'trials']
        """
        return self.model.cells

    @property
    def notices(self) -> list[str]:
        """What was inferred from the data, and what happened in sampling.

        Examples
        --------
        >>> fit.notices[0]
        'family bernoulli (the response is 0/1)'
        """
        return [*self._known.notices, *self._drawn.notices]

    @property
    def plot(self) -> FitPlots:
        """Plots: ``fit.plot.rates()``, ``.effect()``, ``.shrinkage()``, ``.trace()``, ``.ppc()``.

        Examples
        --------
        >>> fit.plot.trace().shape
        (5, 2)
        """
        return FitPlots(self)

    @property
    def data(self) -> Any:
        """The frame or path that was fitted, as it was given; None of a fit that was stored.

        Examples
        --------
        >>> len(fit.data)
        400
        """
        return self._known.data

    @property
    def provenance(self) -> Provenance:
        """What made the fit: versions, machine, seed, settings, and a fingerprint of the data; stored with it.

        Examples
        --------
        >>> fit.provenance.seed, fit.provenance.rows, fit.provenance.engine
        (1, 400, 'compiled')
        """
        return self._drawn.provenance

    @property
    def sampled_posterior(self) -> Posterior:
        """The draws with their model, as hiermod's own functions take them.

        Examples
        --------
        >>> fit.sampled_posterior.shape  # chains and draws of each
        (4, 1000)
        """
        return self._posterior

    def summary(self, prob: float = 0.95) -> Summary:
        """What lme4 and brms print: family, formula, groups, fixed effects, R-hat, ESS; its repr is the text.

        Examples
        --------
        >>> list(fit.summary().fixed.index)
        ['Intercept', 'treated']
        """
        from hiermod.show.summary import summarize

        return summarize(self._drawn, self.check(), prob)

    def check(self) -> CheckReport:
        """R-hat, bulk and tail ESS, divergences, E-BFMI, tree depth, separation: each with its figure and next step.

        Examples
        --------
        >>> fit.check().passed
        True
        """
        return check(self._drawn)

    @property
    def formula(self) -> str:
        """The formula, spelled out.

        Examples
        --------
        >>> fit.formula
        'success ~ treated + (1 + treated | country)'
        """
        return self.model.formula

    def nobs(self) -> int:
        """How many rows were fitted: those with missing values are left out, and frequency weights do not count.

        Examples
        --------
        >>> fit.nobs()
        400
        """
        return self._drawn.spec.cells.source.rows

    def ngrps(self) -> dict[str, int]:
        """How many levels each grouping factor has.

        Examples
        --------
        >>> fit.ngrps()
        {'country': 2}
        """
        return {grouping.name: int(grouping.groups) for grouping in self._drawn.spec.cells.groupings.values()}

    def prior_summary(self) -> pd.DataFrame:
        """Every prior in numbers, as `Model.prior_summary` gives them.

        Examples
        --------
        >>> list(fit.prior_summary()["parameter"])[:2]
        ['Intercept', 'treated']
        """
        return self.model.prior_summary()

    def report(
        self, path: str | Path, *, title: str | None = None, answers: Sequence[Answer] = (), prob: float = 0.95
    ) -> Path:  # fmt: skip
        """Write one self-contained page about the fit; parameters are those of `hiermod.report`.

        Examples
        --------
        >>> fit.report(folder / "page.html").name
        'page.html'
        """
        from hiermod.interface.report import report

        return report(self, path, title=title, answers=answers, prob=prob)

    def update(self, formula: str | None = None, data: Any = None, **changes: Any) -> Fit:
        """Fit again, with everything as it was but for what is named: R's `update`.

        Nothing is compiled anew where the compiled engine takes the model, so that new data of the same structure costs
        the sampling. The seed is kept too, if one was given: name another for a run of its own.

        Parameters
        ----------
        formula : str, optional
            A formula. A dot on its left is the old response, on its right all old terms, as in R: ``". ~ . + x"``,
            ``". ~ . - (1 | g)"``, ``"~ . + (1 | h)"``, ``"log(.) ~ ."``.
        data : data frame or path, optional
            Other rows; the fitted ones without it, read again from the frame as it is now if the formula changed.
        **changes
            Any of the other arguments of `hiermod.fit`: ``family``, ``priors``, ``pooling``, ``na``, ``compress``,
            ``intercept_at``, ``ziformula``, ``dispformula``, ``draws``, ``tune``, ``chains``, ``cores``, ``seed``,
            ``target_accept``, ``engine``, ``progress``. Priors are added to those of this fit, as in brms;
            ``priors={"sd": None}`` takes one back, ``priors=None`` all; those of parameters that are no more are
            dropped, with a notice. The family stays the one that was taken, unless the response changes.

        Returns
        -------
        Fit

        Raises
        ------
        ModelError
            If a change is unknown, or needs the data of a fit that was stored without it.
        FormulaError, DataError, PriorError, SamplingError
            As in `hiermod.fit`.

        Examples
        --------
        >>> wider = fit.update(priors={"sd": "HalfNormal(2)"}, draws=100, chains=2, progress=False)
        >>> wider
        <hiermod.Fit success ~ treated + (1 + treated | country), family bernoulli, 2 x 100 draws>
        >>> fit.update("~ . - (1 + treated | country)", draws=100, chains=2, progress=False)
        <hiermod.Fit success ~ treated, family bernoulli, 2 x 100 draws>
        """
        progress = changes.pop("progress", True)
        refuse_unknown(changes)
        settings = changed_settings(self._drawn.asked, changes)
        defined = changed_model(self._known, formula, data, changes)
        model = self.model if defined is self._known else Model(defined)
        return model.sampled(settings, progress)

    def save(self, path: str | Path) -> None:
        """Write the fit to a NetCDF file, from which `hiermod.load` gives the same answers to the last bit.

        Examples
        --------
        >>> fit.save(folder / "country.nc")
        """
        save(self._told, path)


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
        self._known = defined
        self._samplers: dict[str, Sampler] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Compiled code and its memory belong to a process; another one makes them anew when it samples."""
        return {**self.__dict__, "_samplers": {}}

    @property
    def _defined(self) -> Defined:
        """The model with all groups and their rows, which are read where the data is when something asks for them."""
        return self._known.whole

    def __repr__(self) -> str:
        spec = self._known.spec
        return visible(f"<hiermod.Model {spec.formula}, family {spec.family}, {len(spec.cells)} cells>")

    def _repr_html_(self) -> str:
        """What a notebook shows: the model in words, and its priors."""
        priors = self.prior_summary().to_html(index=False, escape=True)
        return visible(f"<pre>{escape(self.explain().words)}</pre>{priors}")

    @property
    def cells(self) -> pd.DataFrame:
        """The compressed table: a row per cell, its predictors and sufficient statistics.

        Examples
        --------
        >>> len(fit.model.cells)
        4
        """
        return self._defined.spec.cells.table()

    @property
    def notices(self) -> list[str]:
        """What was inferred: family, reference levels, rows dropped.

        Examples
        --------
        >>> fit.model.notices[1]
        '400 rows in 4 cells'
        """
        return list(self._known.notices)

    @property
    def formula(self) -> str:
        """The formula, spelled out.

        Examples
        --------
        >>> fit.model.formula
        'success ~ treated + (1 + treated | country)'
        """
        return str(self._known.spec.formula)

    @property
    def family(self) -> str:
        """The family, with its link where that is not the usual one.

        Examples
        --------
        >>> fit.model.family
        'bernoulli'
        """
        return str(self._known.spec.family)

    def fit(
        self, *, draws: int = 1000, tune: int | None = None, chains: int = 4, cores: int | None = None,
        seed: int | None = None, target_accept: float | None = None, engine: Engine = "auto", progress: bool = True,
    ) -> Fit:  # fmt: skip
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
        """Sample with settings that were checked before.

        Examples
        --------
        >>> from hiermod.sampling.settings import Settings
        >>> settings = Settings(200, 200, 2, 1, 1, 0.9, "auto")
        >>> fit.model.sampled(settings, progress=False).sampled_posterior.shape[0]
        2
        """
        try:
            posterior = self._sampled(settings, progress)
        except EachGroupError:  # effects are sampled, of every group
            self._known = self._known.whole
            self._samplers.clear()
            posterior = self._sampled(settings, progress)
        announce(posterior.run_notices)
        return Fit(self, posterior)

    def _sampled(self, settings: Settings, progress: bool) -> Posterior:
        engine, spec = settings.engine, self._known.spec
        if engine not in self._samplers:
            self._samplers[engine] = choose_sampler(spec, engine, announce_one)
        sampler = self._samplers[engine]
        announce([str(sampler.engine)])
        replaced = partial(self._samplers.__setitem__, engine)
        return sample(spec, sampler, settings, progress, announce_one, replaced)

    def with_draws(self, draws: Any) -> Fit:
        """A `Fit` of this model from draws that somebody else made, such as ``pm.sample(model=model.pymc())``.

        Parameters
        ----------
        draws : xarray.DataTree or xarray.Dataset
            A posterior with dims ``chain, draw`` and a variable for each parameter, named as in `pymc`.

        Raises
        ------
        SamplingError
            If a parameter is missing or has another shape, or a draw of it is NaN, infinite, complex, or out of its
            range, as a negative ``sigma``.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("successes/trials ~ (1|variant)", hm.example("variants"))
        >>> fit = model.with_draws(fit_of_variants.idata)
        >>> list(fit.rates("variant").table.columns)
        ['variant', 'estimate', 'lower', 'upper', 'rows', 'seen']
        """
        return Fit(self, posterior_from_draws(self._defined.spec, draws))

    def explain(self) -> Explanation:
        """The model in words: what each term means, how each predictor is coded, the priors; equations in a notebook.

        Examples
        --------
        >>> print(str(fit.model.explain()).splitlines()[0])
        success ~ treated + (1 + treated | country)
        """
        from hiermod.show.explanation import explain

        return explain(self._known.spec)

    def prior_summary(self) -> pd.DataFrame:
        """Every prior in numbers.

        Returns
        -------
        pandas.DataFrame
            Columns ``parameter, prior, scale, stated_at, per_sd``. ``stated_at`` says where the numeric predictors
            stand for the prior of a coefficient (their weighted means), empty where that plays no part. A slope's
            ``prior`` is per unit of its column, as you state one; ``per_sd`` is the same prior per standard deviation
            of the column, in which defaults are made; a column of 0 and 1 alone counts by its unit.

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
        return prior_summary(self._known.spec)

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
        >>> list(prior.rates("treated").table.columns)
        ['treated', 'estimate', 'lower', 'upper', 'rows', 'seen']
        """
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
        from hiermod.modeling.pymc.model import build_model

        return build_model(self._defined.spec)

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
        from hiermod.modeling.bambi.bridge import build_bambi

        return build_bambi(self._defined.spec)
