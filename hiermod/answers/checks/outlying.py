"""Which groups stand out from the population that the model takes them from.

A group's effects u of covariance S are standardised in each draw; their squared distance u'S^-1 u is a chi-squared
variable under the model. A group is beyond the limit where that distance is larger than the largest of all groups is
with a chance of 5 % (Chaloner and Brant 1988, Biometrika 75, 651-659, for several effects).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from hiermod.answers.answer import check_prob, interval
from hiermod.answers.estimands.shrinkage import chosen_grouping
from hiermod.answers.group_effects import correlation_matrices, standard_deviations
from hiermod.answers.reader import by_model
from hiermod.data.columns.groupings import Grouping
from hiermod.errors import visible
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.pooled import PooledSpec
from hiermod.sampling.posterior import Posterior
from hiermod.tabular import Tabular
from hiermod.terminal import lines_of, width

ANY = 0.05  # the chance that some group of a population as assumed is beyond the limit
LIKELY = 0.5
SMALLEST = 1e-300


@dataclass(frozen=True, eq=False)
class Outlying(Tabular):
    """Groups by how far they are from their population; its repr says which stand out.

    Parameters
    ----------
    grouping : str
        The grouping factor.
    table : pandas.DataFrame
        A row per group, the most outlying first: ``distance`` (posterior mean, in standard deviations),
        ``prob_outlying`` (the chance that it is beyond `limit`) and ``outlying`` (whether that is above one half).
    effects : pandas.DataFrame
        ``estimate, lower, upper`` of each effect of each group, in standard deviations of the population.
    limit : float
        The distance that the largest of so many groups exceeds with a chance of 5 % if the population is normal.
    """

    grouping: str
    table: pd.DataFrame
    effects: pd.DataFrame
    limit: float

    @property
    def groups(self) -> list[object]:
        """The groups that stand out.

        Examples
        --------
        >>> fit.outlying().groups
        []
        """
        return self.table.index[self.table["outlying"]].tolist()

    def __repr__(self) -> str:
        return lines_of(visible(self._sentence()), width())

    def _sentence(self) -> str:
        if not self.groups:
            likeliest = self.table["prob_outlying"].idxmax()
            chance = self.table["prob_outlying"].max()
            return (
                f"No {self.grouping} stands out of {len(self.table):,}; the nearest to it is {likeliest}, with a "
                f"chance of {chance:.0%}."
            )
        chances = self.table.loc[self.table["outlying"], "prob_outlying"].tolist()
        shown = ", ".join(f"{group} ({chance:.0%})" for group, chance in zip(self.groups, chances, strict=True))
        return f"{len(self.groups)} of {len(self.table):,} levels of {self.grouping} stand out: {shown}."


def outlying(posterior: Posterior, group: str | None, prob: float) -> Outlying:
    """Standardise each group's effects draw by draw; tell which are larger than a normal population would show."""
    check_prob(prob)
    grouping = chosen_grouping(posterior.spec, group)
    effects = _standardised(posterior, grouping)
    distance = sum(part.squares for part in effects)
    size = sum(len(part.names) for part in effects)
    chance = -np.expm1(np.log1p(-ANY) / grouping.size)
    beyond = special.chdtrc(size, np.asarray(distance)) < chance
    table = pd.DataFrame(
        {"distance": np.sqrt(distance).mean(axis=0), "prob_outlying": beyond.mean(axis=0)},
        index=pd.Index(grouping.labels(), name=grouping.name),
    )
    table["outlying"] = table["prob_outlying"] > LIKELY
    ordered = table.sort_values("prob_outlying", ascending=False, kind="stable")
    limit = float(np.sqrt(special.chdtri(size, chance)))
    return Outlying(grouping.name, ordered, _effects_table(grouping, effects, prob), limit)


@dataclass(frozen=True, eq=False)
class _Standardised:
    """Effects over their sds, shape ``(draws, groups, effects)``, and squared distances ``(draws, groups)``."""

    names: list[str]
    values: np.ndarray
    squares: np.ndarray


def _effects_table(grouping: Grouping, effects: list[_Standardised], prob: float) -> pd.DataFrame:
    values = np.concatenate([part.values for part in effects], axis=2)
    names = [name for part in effects for name in part.names]
    index = pd.MultiIndex.from_product([grouping.labels(), names], names=[grouping.name, "effect"])
    return pd.DataFrame(interval(values.reshape(len(values), -1).T, prob), index=index)


def _standardised(posterior: Posterior, grouping: Grouping) -> list[_Standardised]:
    return by_model(
        posterior.spec,
        linear=lambda spec: [_of_term(posterior, term) for term in spec.groups if term.grouping is grouping],
        pooled=lambda spec: [_of_rates(posterior, spec)],
    )


def _of_term(posterior: Posterior, term: GroupDesign) -> _Standardised:
    sds = np.maximum(standard_deviations(posterior, term), SMALLEST)
    values = np.concatenate(posterior.effects(term), axis=2) / sds[:, None, :]
    precision = np.linalg.pinv(correlation_matrices(posterior, term), hermitian=True)
    return _Standardised(term.row_names, values, np.einsum("sgi,sij,sgj->sg", values, precision, values))


def _of_rates(posterior: Posterior, spec: PooledSpec) -> _Standardised:
    """Normal quantiles of the rates' places in their distribution."""
    rates = posterior.rates(np.arange(spec.grouping.size))
    place = np.clip(spec.pool.cdf(rates, *posterior.population(spec.stratum)), 1e-15, 1.0 - 1e-15)
    values = special.ndtri(place)
    return _Standardised(["rate"], values[:, :, None], values**2)
