"""Estimates in the words of lme4: fixed effects and variance components."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import check_prob, interval
from hiermod.answers.group_effects import correlation_matrices, standard_deviations
from hiermod.errors import AnswerError, enumerate_names
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior


def fixef_draws(posterior: Posterior, wiggles: bool = True) -> dict[str, np.ndarray]:
    """Draws of each common coefficient by its row name, shape ``(draws,)``, in the user's coding, on the link scale.

    Without `wiggles` of a smooth those alone that are not penalised: what bends it says nothing one by one.
    """
    draws: dict[str, np.ndarray] = {}
    free = {} if wiggles else {smooth.block.name: smooth.block.free for smooth in posterior.spec.smooths}
    for variable in posterior.spec.variables():
        if variable.role == "coefficient":
            names = [f"{variable.name}[{label}]" for label in variable.labels[0]] if variable.dims else [variable.name]
            own = dict(zip(names, posterior.values(variable.name).reshape(-1, len(names)).T, strict=True))
            kept = [names[place] for place in free[variable.name]] if variable.name in free else names
            draws |= {name: own[name] for name in kept}
    return draws


def smooth_sds(posterior: Posterior) -> dict[str, np.ndarray]:
    """Draws of the standard deviations of smooths' wiggles, by their names in tables."""
    draws = {}
    for smooth in posterior.spec.smooths:
        values = posterior.values(smooth.sd_name)
        for curve in smooth.curves:
            draws[curve.key] = values[:, curve.place] if smooth.levels else values
    return draws


def fixef(posterior: Posterior, prob: float) -> pd.DataFrame:
    """Common coefficients: ``estimate, sd, lower, upper``."""
    check_prob(prob)
    draws = fixef_draws(posterior)
    return described(draws, prob, existing(posterior.spec, draws)).rename_axis("term")


def existing(spec: ModelSpec, names: Iterable[str]) -> np.ndarray:
    """Of parameters, by their names in tables, the power from which on they have no posterior mean."""
    known = spec.finite_moments
    return np.array([known.get(name, known.get(name.split("[")[0], np.inf)) for name in names], dtype=float)


def medians_remark(names: Sequence[str]) -> str:
    """What to say beside medians of parameters; empty without any."""
    if not names:
        return ""
    return f"Estimates of {enumerate_names(names)} are posterior medians: there is no posterior mean."


def described(draws: Mapping[str, np.ndarray], prob: float, powers: np.ndarray | None = None) -> pd.DataFrame:
    """``estimate, sd, lower, upper`` of draws by name; what has no mean has its median, and no sd."""
    names = ["estimate", "sd", "lower", "upper"]
    if not draws:
        return pd.DataFrame(columns=names, dtype=float)
    values = np.stack(list(draws.values()))
    with np.errstate(over="ignore", invalid="ignore"):
        columns = {**interval(values, prob), "sd": values.std(axis=1, ddof=1)}
    table = pd.DataFrame(columns, index=pd.Index(draws))[names]
    if powers is not None:
        table.loc[powers <= 1.0, "estimate"] = np.median(values[powers <= 1.0], axis=1)
        table.loc[powers <= 2.0, "sd"] = np.nan
    return table


def terms_by_group(posterior: Posterior) -> dict[str, list[GroupDesign]]:
    """The group terms of each grouping factor.

    Raises
    ------
    AnswerError
        If the model has no varying effects of its own, as under ``pooling="beta"``.
    """
    if reason := posterior.spec.refuses("effects"):
        raise AnswerError(reason)
    by_group: dict[str, list[GroupDesign]] = {}
    for term in posterior.spec.groups:
        by_group.setdefault(term.grouping.name, []).append(term)
    return by_group


def varcorr(posterior: Posterior, prob: float) -> pd.DataFrame:
    """Variance components, laid out as lme4's ``as.data.frame(VarCorr(m))``.

    For standard deviations ``sdcor`` is the mean, for correlations too; ``vcov`` is the mean variance or covariance;
    ``lower, upper`` bound ``sdcor``; both are medians where the posterior has no such mean. The last row, ``Residual``,
    is of the families that have a `sigma` of one value; a student family's is its scale, and its standard deviation is
    larger.
    """
    check_prob(prob)
    rows: list[dict[str, Any]] = []
    for terms in terms_by_group(posterior).values():
        for term in terms:
            rows.extend(_group_rows(posterior, term, prob))
    if posterior.spec.family.scaled and "sigma" in posterior.spec.scalars:
        rows.append(_row("Residual", None, None, posterior.values("sigma"), posterior.values("sigma") ** 2, prob))
    columns = ["grp", "var1", "var2", "vcov", "sdcor", "lower", "upper"]
    return pd.DataFrame(rows, columns=columns)


def _group_rows(posterior: Posterior, term: GroupDesign, prob: float) -> list[dict[str, Any]]:
    sds, names, group = standard_deviations(posterior, term), term.row_names, term.grouping.name
    powers = existing(posterior.spec, term.sd_keys())
    rows = [_row(group, name, None, sds[:, k], sds[:, k] ** 2, prob, powers[k]) for k, name in enumerate(names)]
    if term.correlated:
        correlations = correlation_matrices(posterior, term)
        for second, first in sorted(term.pairs(), key=lambda pair: (pair[1], pair[0])):
            correlation = correlations[:, first, second]
            covariance = correlation * sds[:, first] * sds[:, second]
            power = min(powers[first], powers[second])
            rows.append(_row(group, names[first], names[second], correlation, covariance, prob, power, bounded=True))
    return rows


def _row(
    group: str, first: str | None, second: str | None, sdcor: np.ndarray, vcov: np.ndarray, prob: float,
    power: float = np.inf, bounded: bool = False,
) -> dict[str, Any]:  # fmt: skip
    median = power <= 1.0 and not bounded
    summary = {name: float(value[0]) for name, value in interval(sdcor[None, :], prob, median).items()}
    squares = float(np.median(vcov) if power <= 2.0 else vcov.mean())
    return {"grp": group, "var1": first, "var2": second, "vcov": squares, "sdcor": summary["estimate"],
            "lower": summary["lower"], "upper": summary["upper"]}  # fmt: skip


def sigma(posterior: Posterior) -> float:
    """The posterior mean of the residual standard deviation."""
    family = posterior.spec.family
    if "sigma" in posterior.spec.predictors:
        raise AnswerError(
            "sigma has a linear predictor here, so that rows differ in it. Its coefficients are in fixef(), as "
            "sigma_Intercept."
        )
    if not family.scaled:
        single = [own.name for own in family.single if own.name not in posterior.spec.predictors]
        others = f" It has {' and '.join(single)}: see fit.summary().random." if single else ""
        raise AnswerError(f"The family {family} has no residual standard deviation.{others}")
    return float(posterior.values("sigma").mean())
