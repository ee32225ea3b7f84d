"""Intraclass correlations: the share of groups in the variance of the latent response (Nakagawa et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from hiermod.answers.answer import check_prob
from hiermod.answers.group_effects import Reading, TermEffects, covariance_factor, same_for_all
from hiermod.answers.parameters.by_group import spread
from hiermod.answers.parameters.estimates import terms_by_group
from hiermod.answers.reader import block_slices, others_of, reader
from hiermod.answers.row_moments import RowMoments, weighted_observations
from hiermod.errors import AnswerError, enumerate_names
from hiermod.families.record import scaled
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

ALL = "all groups"


def icc(posterior: Posterior, prob: float) -> pd.DataFrame:
    """A row per grouping factor, and one of all where there are several; without and with the common terms' variance.

    Raises
    ------
    AnswerError
        If the model has no varying effects.
    """
    check_prob(prob)
    by_group = terms_by_group(posterior)
    if not by_group:
        raise AnswerError("The model has no groups, so that there is no intraclass correlation.")
    frame, weight = weighted_observations(posterior.spec)
    _refuse_several(posterior.spec)
    groups = {
        name: sum(_variance(posterior, term, frame, weight) for term in terms) for name, terms in by_group.items()
    }
    whole = np.asarray(sum(groups.values()))
    common, residual = _others(posterior, frame, weight)
    shown = groups if len(groups) == 1 else {**groups, ALL: whole}
    tables = [
        _table(kind, {name: values / total for name, values in shown.items()}, prob)
        for kind, total in (("adjusted", whole + residual), ("unadjusted", whole + residual + common))
    ]
    return pd.concat(tables, ignore_index=True)


def _refuse_several(spec: ModelSpec) -> None:
    """Refuse several linear predictors, unless the mean is the first one itself."""
    family = spec.family
    mean_alone = family.link.name == "identity" and family.expected.uses == ("mu",)
    if family.expected.link is None or (len(spec.predictors) > 1 and not mean_alone):
        raise AnswerError(
            "icc() is of one linear predictor; here "
            f"{enumerate_names(spec.predictors)} have one each, and groups may differ in all. fit.r2() says how much "
            "of the response is explained with the groups and without."
        )


def _table(kind: str, shares: Mapping[str, np.ndarray], prob: float) -> pd.DataFrame:
    return pd.DataFrame({"group": list(shares), "icc": kind, **spread(np.column_stack(list(shares.values())), prob)})


def _variance(posterior: Posterior, term: GroupDesign, frame: pd.DataFrame, weight: np.ndarray) -> np.ndarray:
    """The variance that a group term gives a row, averaged over rows (Johnson 2014), in each draw."""
    design = TermEffects(posterior, term, 0).design(frame)
    if design is None:
        return np.zeros(posterior.size)
    squares = design.T @ (design * weight[:, None]) / weight.sum()
    factor = covariance_factor(posterior, term)
    return np.einsum("skj,kl,slj->s", factor, squares, factor)


def _others(posterior: Posterior, frame: pd.DataFrame, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The variance of the common terms over rows, and that of the response around its linear predictor."""
    typical = reader(posterior, same_for_all(posterior.spec, Reading.TYPICAL))
    observed = reader(posterior, exposed=True)
    predictors, means, variances = RowMoments(), RowMoments(), RowMoments()
    family = posterior.spec.family
    latent = family.is_rate or (family.thresholds is not None and family.thresholds.increasing)
    if latent and family.link.latent_variance is not None and family.variance is None:
        for rows in block_slices(len(frame), posterior.size):
            predictors.add(typical.at(frame.iloc[rows]).mu, weight[rows])
        return predictors.variance, np.full(posterior.size, family.link.latent_variance)
    for rows in block_slices(len(frame), posterior.size):
        part = frame.iloc[rows]
        mean = observed.mean(part)
        predictors.add(typical.at(part).mu, weight[rows])
        means.add(mean, weight[rows])
        variances.add(family.require("variance")(mean, *others_of(posterior, observed, part)), weight[rows])
    if family.is_rate and family.link.latent_variance is not None:
        return predictors.variance, np.full(posterior.size, family.link.latent_variance)
    if family.link.name == "identity" and family.expected.uses == ("mu",):
        return predictors.variance, variances.mean
    auxiliary = [posterior.values(name) for name in family.auxiliary]
    assert family.expected.link is not None
    link = family.expected.link(family.link, *auxiliary)
    if link.name != "log":
        return predictors.variance, variances.mean / link.slope(link.forward(means.mean)) ** 2
    exposure = posterior.spec.shape_exposure(frame)
    own = scaled(auxiliary, None if exposure is None else float(np.average(exposure, weights=weight)))
    return predictors.variance, np.log1p(family.require("variance")(means.mean, *own) / means.mean**2)
