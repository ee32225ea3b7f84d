"""Varying effects, and coefficients, of each group: lme4's `ranef` and `coef`, with the draws behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np
import pandas as pd
import xarray as xr

from hiermod.answers.answer import check_prob, interval
from hiermod.answers.parameters.estimates import existing, fixef_draws, terms_by_group
from hiermod.errors import visible
from hiermod.modeling.design import GroupDesign
from hiermod.sampling.posterior import Posterior

SHOWN = 20  # rows of each factor in a notebook
COLUMNS = ("group", "term", "level", "estimate", "sd", "lower", "upper")


@dataclass(frozen=True, eq=False)
class EffectsOfFactor:
    """The varying effects of one grouping factor, `common` coefficients added where they are given."""

    posterior: Posterior
    terms: tuple[GroupDesign, ...]
    common: Mapping[str, np.ndarray]

    @property
    def levels(self) -> pd.Index:
        """The levels, under the factor's name."""
        grouping = self.terms[0].grouping
        return pd.Index(grouping.labels(), name=grouping.name)

    def columns(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each term with its draws, shape ``(draws, levels)``: common ones first, in their order.

        What a group adds to the linear predictor lowers its thresholds, where these are the intercepts.
        """
        places = {name: (term, place) for term in self.terms for place, name in enumerate(term.row_names)}
        thresholds = [own.name for own in self.posterior.spec.family.entries if own.name in self.common]
        moves = self._moves() if thresholds else []
        if any(name in places for each in moves for name in each):
            effects = {name: self._effects(*places[name]) for name in dict.fromkeys(sum(moves, ())) if name in places}
            for name, each in zip(thresholds, moves, strict=True):
                yield name, self.common[name][:, None] - sum((effects[own] for own in each if own in effects), 0.0)
            places = {name: place for name, place in places.items() if name not in effects}
        else:
            thresholds = []
        for name in dict.fromkeys([*(own for own in self.common if own not in thresholds), *places]):
            draws = np.broadcast_to(
                self.common.get(name, np.zeros(1))[:, None], (self.posterior.size, len(self.levels))
            )
            yield name, draws + self._effects(*places[name]) if name in places else draws

    def _moves(self) -> list[tuple[str, ...]]:
        """What lowers each threshold: effects on the intercept of mu, and on that of what moves it alone."""
        family = self.posterior.spec.family
        specific = family.specific or ("",) * len(family.entries)
        return [("Intercept", *([f"{own}_Intercept"] if own else [])) for own in specific]

    def power(self, name: str) -> float:
        """The power from which on a term's effects have no posterior mean: that of their standard deviation."""
        spec = self.posterior.spec
        thresholds = [own.name for own in spec.family.entries]
        wanted = self._moves()[thresholds.index(name)] if name in thresholds else (name,)
        keys = [
            key for term in self.terms for key, own in zip(term.sd_keys(), term.row_names, strict=True) if own in wanted
        ]
        return float(existing(spec, [*keys, *([name] if name in self.common else [])]).min(initial=np.inf))

    def _effects(self, term: GroupDesign, place: int) -> np.ndarray:
        for draws in self.posterior.effects(term):
            if place < draws.shape[2]:
                return draws[:, :, place]
            place -= draws.shape[2]
        raise AssertionError(term)


class GroupEstimates(dict[str, pd.DataFrame]):
    """Posterior means by grouping factor: data frames whose index are the levels, whose columns the terms.

    Attributes
    ----------
    table : pandas.DataFrame
        All of them in long form, a row per factor, term and level: ``estimate, sd, lower, upper``.
    draws : dict of xarray.DataArray
        The draws by grouping factor, dims ``chain, draw, level, term``.
    """

    def __init__(self, factors: Mapping[str, EffectsOfFactor], prob: float) -> None:
        self._factors, self._prob = factors, check_prob(prob)
        super().__init__({name: _means(factor) for name, factor in factors.items()})

    def __repr__(self) -> str:
        return "\n\n".join(f"{visible(name)}:\n{frame}" for name, frame in self.items())

    def _repr_html_(self) -> str:
        return visible("".join(f"<p>{escape(name)}</p>{frame.to_html(max_rows=SHOWN)}" for name, frame in self.items()))

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per factor, term and level."""
        parts = [
            pd.DataFrame(
                {
                    "group": group,
                    "term": term,
                    "level": factor.levels.to_numpy(),
                    **spread(draws, self._prob, factor.power(term)),
                }
            )
            for group, factor in self._factors.items()
            for term, draws in factor.columns()
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))

    @cached_property
    def draws(self) -> dict[str, xr.DataArray]:
        """The draws behind the tables."""
        return {group: _array(factor) for group, factor in self._factors.items()}


def spread(draws: np.ndarray, prob: float, power: float = np.inf) -> dict[str, np.ndarray]:
    """``estimate, sd, lower, upper`` of draws of shape ``(draws, columns)``: medians and no sd from a `power` on."""
    summary = interval(draws.T, prob, power <= 1.0)
    sd = draws.std(axis=0, ddof=1) if power > 2.0 else np.full(draws.shape[1], np.nan)
    return {"estimate": summary["estimate"], "sd": sd, **summary}


def _means(factor: EffectsOfFactor) -> pd.DataFrame:
    """Posterior means, or medians where there are none."""
    columns = {
        term: draws.mean(axis=0) if factor.power(term) > 1.0 else np.median(draws, axis=0)
        for term, draws in factor.columns()
    }
    return pd.DataFrame(columns, index=factor.levels)


def _array(factor: EffectsOfFactor) -> xr.DataArray:
    terms = dict(factor.columns())
    chains, draws = factor.posterior.shape
    values = np.stack(list(terms.values()), axis=2).reshape(chains, draws, len(factor.levels), len(terms))
    coords = {"level": factor.levels.to_numpy(), "term": list(terms)}
    return xr.DataArray(values, dims=("chain", "draw", "level", "term"), coords=coords, name=str(factor.levels.name))


def ranef(posterior: Posterior, prob: float) -> GroupEstimates:
    """The varying effects by group, on the link scale."""
    return GroupEstimates(factors_of(posterior, {}), prob)


def coef(posterior: Posterior, prob: float) -> GroupEstimates:
    """Common plus varying effects by group, as lme4's ``coef``: every common coefficient is a column."""
    return GroupEstimates(factors_of(posterior, fixef_draws(posterior)), prob)


def factors_of(posterior: Posterior, common: Mapping[str, np.ndarray]) -> dict[str, EffectsOfFactor]:
    """The effects of each grouping factor, `common` coefficients added."""
    by_group = terms_by_group(posterior)
    return {name: EffectsOfFactor(posterior, tuple(terms), common) for name, terms in by_group.items()}
