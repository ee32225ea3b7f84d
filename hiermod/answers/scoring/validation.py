"""The design of a cross-validation, the scores of models by it, and the result for one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.scoring.alignment import Aligned, align
from hiermod.answers.scoring.cross_validation import check_folds, grouped_folds, random_folds
from hiermod.answers.scoring.held_out import Runs
from hiermod.answers.scoring.leave_one_out import MIN_DRAWS
from hiermod.answers.scoring.scores import Groups, Scores, by_folds, by_groups, by_leave_one_out, unpaired_groups
from hiermod.choices import METHODS, SCORES
from hiermod.data.columns.values import number_rows
from hiermod.errors import AnswerError, did_you_mean, enumerate_names
from hiermod.sampling.posterior import Posterior
from hiermod.tabular import Tabular

MAX_REFITS = 20


@dataclass(frozen=True)
class Design:
    """How rows are left out; see `hiermod.compare`."""

    method: str = "loo"
    k: int = 10
    by: str | Sequence[str] | None = None
    stratify: str | Sequence[str] | None = None
    group: str | None = None
    score: str = "joint"
    max_refits: int = MAX_REFITS
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise AnswerError(f"method={self.method!r}: there is 'loo', 'kfold' and 'logo'.{_near(self.method)}")
        if self.score not in SCORES:
            raise AnswerError(f"score={self.score!r}: 'joint' scores a group's rows together, 'rows' one by one.")
        if self.by is not None and self.stratify is not None:
            raise AnswerError("by= keeps groups whole, stratify= spreads them over folds: give one of them.")
        for name, of in (("by", "kfold"), ("stratify", "kfold"), ("group", "logo")):
            if getattr(self, name) is not None and self.method != of:
                raise AnswerError(f"{name}= belongs to method={of!r}, and the method here is {self.method!r}.")
        for name, least in (("k", 2), ("max_refits", 0), ("seed", 0)):
            value = getattr(self, name)
            if name == "seed" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise AnswerError(f"{name}={value!r}: a whole number from {least} on is needed.")


def _near(method: object) -> str:
    return did_you_mean(method, METHODS) if isinstance(method, str) else ""


@dataclass(frozen=True, eq=False)
class CrossValidation(Tabular):
    """What a model expects of what it was not fitted to; its repr is a summary.

    Parameters
    ----------
    method : {"kfold", "logo"}
    elpd : float
        Expected log predictive density, a sum over rows, or over groups scored jointly; higher is better.
    se : float
        Its standard error: over rows, or over groups where these are kept whole.
    p : float
        How much more the model expects of what it was fitted to: an effective number of parameters.
    n : int
        How many rows, or groups, are independent of each other.
    units : {"rows", "groups"}
        What is scored.
    pointwise : pandas.DataFrame
        A row per distinct row of the data (and ``fold``), or per group, with ``times`` or ``rows`` and ``elpd``; of
        groups also ``pareto_k``, and whether they were ``refitted``.
    """

    method: str
    elpd: float
    se: float
    p: float
    n: int
    units: str
    pointwise: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """One row: ``elpd, se, p, n``.

        Examples
        --------
        >>> list(fit.logo("country").table.columns)
        ['elpd', 'se', 'p', 'n']
        """
        return pd.DataFrame({name: [getattr(self, name)] for name in ("elpd", "se", "p", "n")}, index=[self.method])

    @property
    def unreliable(self) -> pd.DataFrame:
        """The rows of `pointwise` whose group importance sampling cannot leave out, and that were not refitted.

        Examples
        --------
        >>> len(fit.logo("country").unreliable)
        0
        """
        return self.pointwise[self.pointwise["unreliable"]] if "unreliable" in self.pointwise else self.pointwise[:0]

    @property
    def exact(self) -> bool:
        """Whether the posterior without each group was integrated, so that no draws are needed.

        Examples
        --------
        >>> fit.logo("country").exact
        False
        """
        return "refitted" in self.pointwise and bool(
            (self.pointwise["refitted"] & np.isneginf(self.pointwise["pareto_k"])).all()
        )

    def __repr__(self) -> str:
        elpd, p = f"{self.elpd:,.2f}", f"{self.p:,.2f}"
        width = max(len(elpd), len(p))
        lines = [f"elpd_{self.method}  {elpd:>{width}}  SE {self.se:,.2f}", f"   p_{self.method}  {p:>{width}}"]
        lines.append(f"{self.units} are scored; {self.n:,} of them are independent")
        if "fold" in self.pointwise:
            lines[-1] = f"{int(self.pointwise['fold'].max()) + 1} folds; {self.n:,} independent rows or groups"
        if self.exact:
            lines.append("Exact: the posterior without each group is integrated anew.")
        elif "refitted" in self.pointwise and self.pointwise["refitted"].any():
            lines.append("Pareto k: too high for some groups, which were left out by fits of their own.")
        if len(self.unreliable):
            lines.append("Pareto k: too high for some groups, whose elpd is not reliable; see .unreliable.")
        return "\n".join(lines)


def scores_of(posteriors: Mapping[str, Posterior], data: Any, design: Design, runs: Runs) -> Scores:
    """Score models by one design.

    Raises
    ------
    AnswerError
        If they cannot be compared, or not so.
    """
    _refuse(posteriors, design)
    specs = {name: posterior.spec for name, posterior in posteriors.items()}
    if design.method == "loo":
        return by_leave_one_out(posteriors, align(specs, data), design.max_refits, runs)
    if design.method == "logo":
        columns, title = _group_columns(posteriors, design.group)
        if design.score == "joint" and not all(spec.cells.rows_kept for spec in specs.values()):
            return unpaired_groups(posteriors, columns, title, design.max_refits, runs)
        aligned = align(specs, data, columns)
        groups = Groups(*aligned.groups(columns), title)
        return by_groups(posteriors, aligned, groups, design.score == "joint", design.max_refits, runs)
    by, strata = (_columns(posteriors, names) for names in (design.by, design.stratify))
    aligned = align(specs, data, [*by, *(name for name in strata if name not in _responses(posteriors))])
    shares, clusters = _shares(aligned, design, by, strata, _responses(posteriors))
    return by_folds(posteriors, aligned, shares, clusters, runs)


def validated(scores: Scores) -> CrossValidation:
    """The result for one model alone."""
    (model,) = scores.models.values()
    elpd, se = scores.total(model.elpd)
    pointwise = scores.labels.reset_index(drop=True)
    if "fold" in pointwise:
        pointwise = pointwise.assign(times=scores.times)
    pointwise = pointwise.assign(elpd=model.elpd)
    if model.details is not None:
        pointwise = pd.concat([pointwise, model.details], axis=1)
    return CrossValidation(scores.method, elpd, se, model.p, scores.independent, scores.units, pointwise)


def _refuse(posteriors: Mapping[str, Posterior], design: Design) -> None:
    for name, posterior in posteriors.items():
        reason = posterior.spec.refuses("rows")
        if reason and design.method == "kfold":
            raise AnswerError(
                f"{name!r} has {reason}, and rows and groups are left out one by one, exactly. Say method='loo', or "
                "method='logo'."
            )
        if posterior.size < MIN_DRAWS and not reason:
            raise AnswerError(
                f"At least {MIN_DRAWS} draws are needed, better thousands; {name!r} has {posterior.size}."
            )


def _shares(
    aligned: Aligned, design: Design, by: Sequence[str], strata: Sequence[str], responses: Sequence[str]
) -> tuple[np.ndarray, np.ndarray | None]:
    """How many of each joint row are in which fold, and the groups that folds keep whole."""
    rng = np.random.default_rng([design.seed or 0, 7])
    if by:
        codes, labels = aligned.groups(by)
        return grouped_folds(aligned.times, codes, check_folds(design.k, len(labels), "groups"), rng), codes
    count = check_folds(design.k, int(aligned.times.sum()), "rows")
    if not strata:
        return random_folds(aligned.times, count, rng), None
    predictors = [name for name in strata if name not in responses]
    keys = {name: aligned.groups([name])[0] for name in predictors}
    if len(predictors) < len(strata):
        keys |= {f"response {place}": numbers for place, numbers in enumerate(aligned.responses.T)}
    return random_folds(aligned.times, count, rng, number_rows(pd.DataFrame(keys))), None


def _responses(posteriors: Mapping[str, Posterior]) -> tuple[str, ...]:
    return tuple(next(iter(posteriors.values())).spec.formula.response.columns)


def _columns(posteriors: Mapping[str, Posterior], names: str | Sequence[str] | None) -> list[str]:
    """Columns; the name of a crossed grouping factor stands for the factor's columns."""
    if names is None:
        return []
    groupings = _groupings(posteriors)
    listed = [names] if isinstance(names, str) else list(names)
    return [column for name in listed for column in groupings.get(name, (name,))]


def _group_columns(posteriors: Mapping[str, Posterior], group: str | None) -> tuple[list[str], str]:
    if group is not None:
        return _columns(posteriors, group), group
    groupings = _groupings(posteriors)
    if len(groupings) != 1:
        listed = f"These models have {enumerate_names(groupings)}" if groupings else "These models have no groups"
        raise AnswerError(f"group= says which groups are left out. {listed}; any column of the data will do.")
    ((name, columns),) = groupings.items()
    return list(columns), name


def _groupings(posteriors: Mapping[str, Posterior]) -> dict[str, tuple[str, ...]]:
    return {
        grouping.name: tuple(grouping.columns)
        for posterior in posteriors.values()
        for grouping in posterior.spec.cells.groupings.values()
    }
