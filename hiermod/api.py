"""The functions a user calls first: `fit`, `model`, `glmer`, `lmer`, `load`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hiermod.choices import Engine, InterceptAt, Missing, Pooling
from hiermod.errors import ModelError
from hiermod.families.names import FamilyName
from hiermod.formula.parser import joined
from hiermod.interface.fit import Fit, Model
from hiermod.interface.notices import announce
from hiermod.interface.refits import checked_priors
from hiermod.interface.stored import fit_of, keep, kept
from hiermod.modeling.definition import Definition, define
from hiermod.priors.distributions import Prior
from hiermod.sampling.ending import sigterm_as_ctrl_c
from hiermod.sampling.files import check_target
from hiermod.sampling.settings import Settings, check_switch
from hiermod.sampling.storage import load as load_stored


def model(
    formula: str | Sequence[str], data: Any, family: FamilyName | str | None = None, *,
    priors: Mapping[str, str | Prior] | None = None,
    pooling: Pooling = "normal", na: Missing = "drop", compress: bool = True,
    intercept_at: InterceptAt = "mean", ziformula: str | None = None, dispformula: str | None = None,
) -> Model:  # fmt: skip
    """Put a formula and data together without sampling.

    Parameters are those of `fit`. Every error of the input is raised here.

    Returns
    -------
    Model

    Examples
    --------
    >>> import hiermod as hm
    >>> len(hm.model("success ~ treated + (1 + treated | country)", hm.example("country")).cells)
    4
    """
    text = joined(formula, ziformula=ziformula, dispformula=dispformula)
    definition = Definition(text, family, checked_priors(priors), pooling, na, compress, intercept_at=intercept_at)
    defined = define(definition, data)
    announce(defined.notices)
    return Model(defined)


def fit(
    formula: str | Sequence[str], data: Any, family: FamilyName | str | None = None, *,
    priors: Mapping[str, str | Prior] | None = None,
    pooling: Pooling = "normal", draws: int = 1000, tune: int | None = None, chains: int = 4, cores: int | None = None,
    seed: int | None = None, target_accept: float | None = None, engine: Engine = "auto",
    file: str | Path | None = None, progress: bool = True, na: Missing = "drop", compress: bool = True,
    intercept_at: InterceptAt = "mean", ziformula: str | None = None, dispformula: str | None = None,
) -> Fit:  # fmt: skip
    """Fit a hierarchical model.

    Parameters
    ----------
    formula : str or list of str
        As in lme4: ``"success ~ treated + (1 + treated | country)"``, ``"successes/trials ~ (1 | variant)"``. Other
        parameters than the mean have linear predictors of their own behind a semicolon, or in a list: ``"y ~ arm;
        sigma ~ arm"``, ``["y ~ arm", "sigma ~ arm"]``. An ID between bars correlates the effects of several:
        ``"y ~ (1 | p | g); sigma ~ (1 | p | g)"``.
    data : data frame or path
        Any frame that narwhals knows (pandas, polars, pyarrow, DuckDB, …), or the path of a CSV or Parquet file, of a
        folder of Parquet files (``country=CA`` in its names becomes a column), or a glob. Each row is an observation.
    family : str, optional
        A family's name, such as ``"binomial"``, ``"poisson"`` or ``"student"``, with a link in brackets where it is not
        the usual one: ``"binomial(probit)"``; the site's table has all families with their links and parameters.
        None infers from the response one of bernoulli, binomial, gaussian and, of counts in several columns,
        categorical, with a notice.
    priors : dict, optional
        Priors as text, or as `hiermod.prior_from` gives them, by key: ``{"Intercept": "Normal(0, 1.5)", "slope":
        "Normal(0, 1)", "treated": …, "sd": …, "sd(1|country)": …, "cor": "LKJ(4)", "sigma": …}``; a family's own
        parameters go by their names. The closest key counts: ``"period[3]"`` speaks of one column, ``"var(1|g)"`` and
        ``"prec(1|g)"`` of the square of a standard deviation and one over it. ``"Normal(1, 0.5, lower=0)"`` is cut off.
        `Model.prior_summary` shows the defaults in numbers.
    pooling : {"normal", "beta", "gamma", "none"}
        ``"beta"`` takes the rates of ``s/n ~ (1 | g)`` as draws from one Beta(a, b), with p(a, b) ∝ (a + b)^(-5/2)
        unless `priors` has ``rate`` and ``size``, or ``a`` and ``b``. In ``s/n ~ segment + (1 | segment:g)`` each
        segment has a Beta. ``"gamma"`` takes the rates of events, ``y ~ offset(log(e)) + (1 | g)``, as draws from one
        Gamma, with priors of ``rate`` and ``shape``. Draws are independent, by quadrature. ``"none"`` pools nothing:
        each rate of ``s/n ~ (1 | g)`` is uniform from 0 to 1, whatever the others are.
    draws, tune, chains, cores : int
        Draws and warm-up of each chain, number of chains, and how many run at once.
    seed : int, optional
        The same seed gives the same draws on the same machine.
    target_accept : float, optional
        None starts at 0.9, at 0.8 with more than 100 parameters, at 0.95 with PyMC, and rises on divergences; a number
        is kept.
    engine : {"auto", "compiled", "pymc"}
        What computes the density: ``"auto"`` takes the compiled engine where it covers the model, PyMC otherwise.
    file : path, optional
        Reuse the fit stored there if formula, data, priors and settings are the same and it was not interrupted;
        otherwise fit and store it. Scores that take long (`Fit.loo`, `Fit.kfold`, `Fit.logo`, `hiermod.compare`) are
        kept in a folder beside it, ``{file}.scores``, and found there the next time.
    progress : bool
        Whether to show a progress bar.
    na : {"drop", "error"}
        What happens to rows with missing values.
    compress : bool
        Whether rows that the model cannot tell apart become one cell; the posterior is the same.
    intercept_at : {"mean", "zero"}
        Where your prior of the intercept stands: at the means of the numeric predictors, or where they are 0, as of
        brms's ``0 + Intercept``. A default prior stands at the means.
    ziformula, dispformula : str, optional
        glmmTMB's spelling of two linear predictors, ``"~ x + (1 | g)"``. ``ziformula`` gives zeros a part of their own:
        it makes poisson zero_inflated_poisson, gamma hurdle_gamma, and so on, and is of the share `zi` or `hu`;
        ``"~ 0"`` is none. ``dispformula`` is of the family's parameter of spread, such as `sigma` or `alpha`; ``"~ 1"``
        is one number. A notice says what it is of, and where glmmTMB's numbers differ.

    Returns
    -------
    Fit

    Raises
    ------
    FormulaError, DataError, PriorError, ModelError
        Before sampling, where the input cannot be used.
    SamplingError
        If a setting is out of range, or there are no draws to keep.

    Examples
    --------
    >>> import hiermod as hm
    >>> hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), seed=1, draws=500, progress=False)
    <hiermod.Fit successes/trials ~ 1 + (1 | variant), family binomial, 4 x 500 draws>
    """
    settings = Settings(draws, tune, chains, cores, seed, target_accept, engine)
    check_switch("progress", progress)
    if file is not None:
        check_target(file)
    text = joined(formula, ziformula=ziformula, dispformula=dispformula)
    definition = Definition(text, family, checked_priors(priors), pooling, na, compress, intercept_at=intercept_at)
    defined = define(definition, data)
    announce(defined.notices)
    if file is None:
        return Model(defined).sampled(settings, progress)
    found, path = kept(Path(file), defined, settings)
    if found is not None:
        return found
    with sigterm_as_ctrl_c():
        return keep(Model(defined).sampled(settings, progress), path)


def glmer(formula: str | Sequence[str], data: Any, family: FamilyName | str, **as_fit: Any) -> Fit:
    """`fit` for hands that know lme4: the family is required.

    Examples
    --------
    >>> import hiermod as hm
    >>> hm.glmer("incidence/size ~ period + (1 | herd)", hm.example("cbpp"), "binomial", seed=1, progress=False)
    <hiermod.Fit incidence/size ~ period + (1 | herd), family binomial, 4 x 1000 draws>
    """
    _refuse_of_lme4(as_fit)
    return fit(formula, data, family, **as_fit)


def _refuse_of_lme4(arguments: Mapping[str, Any]) -> None:
    """Say what takes the place of lme4's own arguments."""
    for name in arguments:
        if name in OF_LME4:
            raise ModelError(f"{name}= belongs to lme4. {OF_LME4[name]}")


OF_LME4 = {
    "REML": "A posterior averages over the coefficients, as REML does; there is nothing to choose.",
    "control": "There is no optimizer; tune, draws and target_accept set the sampler.",
    "nAGQ": "Varying effects are sampled, not integrated by quadrature.",
    "link": "Write it with the family: 'binomial(probit)'.",
    "weights": "Write frequencies in the formula: y | weights(w) ~ ..., or as trials: s/n.",
    "offset": "Write it in the formula: + offset(x).",
    "subset": "Select the rows of the data first.",
    "contrasts": "Write them in the formula: C(f, sum).",
    "start": "The sampler starts by itself.",
}


def lmer(formula: str | Sequence[str], data: Any, **as_fit: Any) -> Fit:
    """`fit` with the gaussian family, for hands that know lme4.

    Examples
    --------
    >>> import hiermod as hm
    >>> hm.lmer("Reaction ~ Days + (Days | Subject)", hm.example("sleepstudy"), seed=1, progress=False)
    <hiermod.Fit Reaction ~ Days + (1 + Days | Subject), family gaussian, 4 x 1000 draws>
    """
    _refuse_of_lme4(as_fit)
    if as_fit.get("family", "gaussian") != "gaussian":
        raise ModelError("lmer fits gaussian models; use glmer for other families.")
    return fit(formula, data, **{**as_fit, "family": "gaussian"})


def load(path: str | Path, *, data: Any = None) -> Fit:
    """Read a fit that `Fit.save` or ``file=`` wrote.

    Parameters
    ----------
    path : str or Path
    data : data frame or path, optional
        What was fitted. A fit of very many groups that its data's engine held stores patterns of groups: averages
        over all groups are answered from these alone, and which group has which is read here when something asks for
        single groups, as `Fit.ranef` does.

    Raises
    ------
    StorageError
        If the file is not there or hiermod did not write it.

    Examples
    --------
    >>> import hiermod as hm
    >>> fit.save(folder / "stored.nc")
    >>> hm.load(folder / "stored.nc").fixef().equals(fit.fixef())
    True
    """
    return fit_of(load_stored(path, data))
