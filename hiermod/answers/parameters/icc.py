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
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.posterior import Posterior

ALL = "all groups"


def icc(posterior: Posterior, prob: float) -> tuple[pd.DataFrame, list[str]]:
    """A row per grouping factor, and one of all where there are several; without and with the common terms' variance.

    It is of the linear predictor of mu; parameters that have one of their own count by their average over rows, which a
    notice says.

    Raises
    ------
    AnswerError
        If the model has no varying effects of mu, or the mean of a response is no function of mu behind one link.
    """
    check_prob(prob)
    spec = posterior.spec
    by_group = {
        name: of_mu for name, terms in terms_by_group(posterior).items() if (of_mu := [
            term for term in terms if "mu" in {effect.parameter for effect in term.effects}
        ])
    }  # fmt: skip
    if not by_group:
        elsewhere = sorted({effect.parameter for term in spec.groups for effect in term.effects})
        where = f" in mu: they differ in {', '.join(elsewhere)}" if elsewhere else ""
        remedy = " Their standard deviations are fit.varcorr()." if elsewhere else ""
        raise AnswerError(f"The model has no groups{where}, so that there is no intraclass correlation.{remedy}")
    frame, weight = weighted_observations(spec)
    _refuse_without_link(spec)
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
    return pd.concat(tables, ignore_index=True), _of_others(spec)


def _refuse_without_link(spec: ModelSpec) -> None:
    """Refuse means that no link ties to mu alone once the other parameters are given."""
    family = spec.family
    if family.categories and (family.expected.link is None or len(spec.predictors) > 1):
        names = [name for name in spec.predictors if name != "mu" or family.thresholds is not None]
        raise AnswerError(
            f"icc() is of one linear predictor; here {enumerate_names(names)} have one each. "
            "fit.varcorr() has the standard deviations of groups in each."
        )
    if family.expected.link is None:
        raise AnswerError(
            f"icc() takes the variance of a response to the scale of mu by one link, which the family {family} does "
            "not have. fit.r2() says how much of the response is explained with the groups and without."
        )


def _of_others(spec: ModelSpec) -> list[str]:
    """What to say where other parameters than mu have linear predictors."""
    others = [name for name in spec.predictors if name != "mu"]
    if not others:
        return []
    varying = sorted({effect.parameter for term in spec.groups for effect in term.effects} - {"mu"})
    too = f"; that groups differ in {', '.join(varying)} too is left out" if varying else ""
    return [f"icc() is of the linear predictor of mu, with {', '.join(others)} at the average over rows{too}"]


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
    averages = [RowMoments() for _ in family.auxiliary]
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
        others = others_of(posterior, observed, part)
        variances.add(family.require("variance")(mean, *others), weight[rows])
        for average, values in zip(averages, others, strict=True):
            average.add(np.broadcast_to(values, mean.shape), weight[rows])
    if family.is_rate and family.link.latent_variance is not None:
        return predictors.variance, np.full(posterior.size, family.link.latent_variance)
    if family.link.name == "identity" and family.expected.uses == ("mu",):
        return predictors.variance, variances.mean
    auxiliary = [average.mean for average in averages]
    assert family.expected.link is not None
    link = family.expected.link(family.link, *auxiliary)
    if link.name != "log":
        return predictors.variance, variances.mean / link.slope(link.forward(means.mean)) ** 2
    return predictors.variance, np.log1p(family.require("variance")(means.mean, *auxiliary) / means.mean**2)
