"""`compare`: several models of the same rows, fitted already or to be fitted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hiermod.answers.scoring.comparison import ModelComparison, compared
from hiermod.answers.scoring.held_out import Runs
from hiermod.answers.scoring.validation import MAX_REFITS, Design, scores_of
from hiermod.choices import Method, Score
from hiermod.errors import AnswerError, HiermodError, ModelError, did_you_mean
from hiermod.families.names import FamilyName
from hiermod.interface.fit import Fit, Model
from hiermod.interface.notices import announce, announce_one
from hiermod.interface.refits import OF_SETTINGS, checked_priors
from hiermod.interface.stored import keep, kept
from hiermod.modeling.definition import Defined, Definition, define, same_rows
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.files import make_folder
from hiermod.sampling.parallel import each, fit_one
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings

OF_FITS = ("priors", "pooling", "na", "compress", "intercept_at", *(name for name in OF_SETTINGS if name != "seed"))


def compare(
    models: Mapping[str, Fit | str] | Sequence[Fit | str], data: Any = None, family: FamilyName | str | None = None, *,
    method: Method = "loo", k: int = 10, by: str | Sequence[str] | None = None,
    stratify: str | Sequence[str] | None = None, group: str | None = None, score: Score = "joint",
    max_refits: int = MAX_REFITS, seed: int | None = None, progress: bool = True, folder: str | Path | None = None,
    **of_fits: Any,
) -> ModelComparison:  # fmt: skip
    """Compare models of the same rows by what they expect of rows that they have not seen.

    Scores are log densities of the response as the data has it, with all constants. Differences and their standard
    errors are paired: every model is scored on the same rows, folds or groups, on the common refinement of the cells.

    Parameters
    ----------
    models : dict or list
        Fits, or formulas that are fitted to `data`, by name; in a list the formulas are the names.
    data : data frame or path, optional
        The rows: for formulas, and for stored fits whose rows have to be paired. Formulas are fitted to the rows that
        are complete in the columns of all models; a notice says how many are left out.
    family : str, optional
        Of the formulas, as in `hiermod.fit`.
    method : {"loo", "kfold", "logo"}
        Leave one row out (by Pareto-smoothed importance sampling), one of `k` folds (by refits), or one group.
    k : int
        How many folds; they share rows at random, and equal rows of a cell by hypergeometric draws.
    by : str or list of str, optional
        Columns whose groups folds keep whole.
    stratify : str or list of str, optional
        Columns, or the response, whose values are spread evenly over folds.
    group : str, optional
        The grouping factor, or column, whose groups are left out; not needed where the models have one factor.
        A left-out group's effects are integrated over their population, by quadrature within each draw.
    score : {"joint", "rows"}
        Whether a group's rows are scored together, as one observation, or each by itself.
    max_refits : int
        At most so many rows, or groups, of each model are left out by a fit of their own, where Pareto k says that
        importance sampling is not reliable: the least reliable first. Others are named in the verdict.
    seed : int, optional
        Of the folds, and of the fits of formulas.
    progress : bool
        Whether to count fits on stderr.
    folder : path, optional
        Where the fits of formulas are kept, with their scores beside them: a finished comparison costs next to nothing
        when it is run again, and one that was stopped goes on where it was. It is made if it is not there.
    **of_fits
        Arguments of `hiermod.fit` for the formulas: ``draws``, ``priors``, ``pooling`` and the like.

    Returns
    -------
    ModelComparison
        Its `table` has a row per model, the best one first; printing it prints that, and what limits it.

    Raises
    ------
    AnswerError
        If the models have different rows or responses, or cannot be left out so.
    FormulaError, DataError, PriorError, ModelError, SamplingError
        As in `hiermod.fit`, with the name of the model.

    Notes
    -----
    Fits run one after the other, each with its chains on all cores. Within
    ``joblib.parallel_config(backend="loky", n_jobs=4)`` they run side by side in processes; ``backend="dask"`` and
    ``"ray"`` put them on a cluster.

    There are no Bayes factors. They compare priors as much as models, and change with the width of a prior that leaves
    every estimate as it is. Where a prior is improper they do not exist, and elsewhere they are hard to compute to any
    accuracy. The question that is asked of them, which model predicts better, is measured here directly.

    Examples
    --------
    >>> import hiermod as hm
    >>> smaller = fit.update("~ . - (1 + treated | country)", progress=False)
    >>> table = hm.compare({"pooled": fit, "one rate": smaller}).table
    >>> list(table.index), list(table.columns)[:3]
    (['pooled', 'one rate'], ['rank', 'elpd_diff', 'dse'])
    """
    design = Design(method, k, by, stratify, group, score, max_refits, seed)
    named = _named(models)
    fits = _fitted(named, data, family, seed, of_fits, progress, None if folder is None else make_folder(folder))
    return compare_fits(fits, data, design, Runs(progress, say=announce_one))


def compare_fits(fits: Mapping[str, Fit], data: Any, design: Design, runs: Runs) -> ModelComparison:
    """Compare what is fitted."""
    rows = data if data is not None else next((fit.data for fit in fits.values() if fit.data is not None), None)
    return compared(scores_of({name: fit.sampled_posterior for name, fit in fits.items()}, rows, design, runs))


def _named(models: Any) -> dict[str, Fit | str]:
    if isinstance(models, str | Fit) or not isinstance(models, Mapping | Sequence):
        raise ModelError("compare() takes several models: a dict of fits or formulas by name, or a list.")
    pairs = list(models.items()) if isinstance(models, Mapping) else [(_name(model), model) for model in models]
    for name, model in pairs:
        if not isinstance(model, str | Fit):
            raise ModelError(f"{str(name)!r} is a {type(model).__name__}; a fit or a formula is needed.")
    named = {str(name): model for name, model in pairs}
    if len(named) < len(pairs):
        twice = next(name for name, _ in pairs if [str(other) for other, _ in pairs].count(str(name)) > 1)
        raise ModelError(f"Two models are called {twice!r}. Give them names in a dict.")
    if not named:
        raise ModelError("There is no model to compare.")
    return named


def _name(model: Any) -> str:
    return model.formula if isinstance(model, Fit) else str(model)


def _fitted(
    named: Mapping[str, Fit | str], data: Any, family: str | None, seed: int | None, of_fits: Mapping[str, Any],
    progress: bool, folder: Path | None = None,
) -> dict[str, Fit]:  # fmt: skip
    """Fit what is a formula; all formulas are understood before any is sampled."""
    formulas = {name: model for name, model in named.items() if isinstance(model, str)}
    if not formulas:
        _refuse_of_fits(family, {**of_fits, **({} if folder is None else {"folder": folder})})
        return {name: model for name, model in named.items() if isinstance(model, Fit)}
    if data is None:
        raise ModelError("Formulas need data to be fitted to: hm.compare([...], data=frame).")
    definition, settings = _read_arguments(family, seed, of_fits)
    defined = {name: _defined(name, replace(definition, formula=text), data) for name, text in formulas.items()}
    defined = of_the_same_rows(defined, [model for model in named.values() if isinstance(model, Fit)])
    files: dict[str, Path] = {}
    if folder is not None:
        files = {name: folder / _file_name(model.definition, settings) for name, model in defined.items()}
    fits = {name: model for name, model in named.items() if isinstance(model, Fit)}
    for name, path in files.items():
        found, files[name] = kept(path, defined[name], settings)
        fits |= {} if found is None else {name: found}
    absent = [name for name in defined if name not in fits]

    def keep_one(place: int, posterior: Posterior) -> None:
        name = absent[place]
        announce(f"{name}: {notice}" for notice in posterior.run_notices)
        fit = Fit(Model(defined[name]), replace(posterior, spec=defined[name].spec))
        fits[name] = keep(fit, files[name]) if name in files else fit

    each(_sampled, [(defined[name].spec, settings) for name in absent], progress, done=keep_one)
    return {name: fits[name] for name in named}


def _file_name(definition: Definition, settings: Settings) -> str:
    """A name for the fit; its content says whether it is of the same data."""
    priors = {key: str(prior) for key, prior in sorted(definition.priors.items())}
    content = repr((replace(definition, priors=priors), settings))
    return f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.nc"


def of_the_same_rows(models: Mapping[str, Defined], fits: Sequence[Fit] = ()) -> dict[str, Defined]:
    """Models of those rows that are complete in the columns of all of them, and of the fits; notices are told."""
    specs = [fit.sampled_posterior.spec for fit in fits]
    others = [name for spec in specs if spec.cells.source.missing for name in spec.formula.all_columns]
    found, notices = same_rows(models, others)
    for name, model in found.items():
        announce(f"{name}: {notice}" for notice in model.notices)
    announce(notices)
    return found


def _sampled(task: tuple[ModelSpec, Settings]) -> Posterior:
    return fit_one(*task, lambda text: announce([text]))


def _defined(name: str, definition: Definition, data: Any) -> Defined:
    try:
        return define(definition, data, patterns=False)
    except HiermodError as error:
        if name != definition.formula:
            error.add_note(f"(the model {name!r})")
        raise


def _read_arguments(family: str | None, seed: int | None, of_fits: Mapping[str, Any]) -> tuple[Definition, Settings]:
    for name in of_fits:
        if name not in OF_FITS:
            raise ModelError(f"compare() has no argument {name!r}.{did_you_mean(name, OF_FITS)}")
    settings = Settings(**{name: value for name, value in of_fits.items() if name in OF_SETTINGS}, seed=seed)
    rest = {name: value for name, value in of_fits.items() if name not in OF_SETTINGS}
    rest["priors"] = checked_priors(rest.get("priors"))
    return Definition("", family, **rest), settings


def _refuse_of_fits(family: str | None, of_fits: Mapping[str, Any]) -> None:
    named = [*of_fits, *(["family"] if family is not None else [])]
    if named:
        raise AnswerError(f"{named[0]}= is for formulas, and all models here are fitted.")
