"""`Posterior`: draws with the model they belong to, and how they were made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from hiermod.data.columns.groupings import Grouping
from hiermod.errors import AnswerError
from hiermod.memory import NUMBER, refuse_beyond
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.pooled import MEAN, SPREAD, PooledSpec
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import INTEGRATION_ERROR, QUADRATURE_ERROR, Diagnostics, diagnose
from hiermod.sampling.provenance import Origin, Provenance, provenance
from hiermod.sampling.settings import ChosenEngine, Settings

if TYPE_CHECKING:
    from hiermod.marginal.effects import Conditional

AT_ZERO = (
    "spread_at_zero"  # an attribute of a run's statistics: density of the spread at 0 over its largest, by stratum
)
KEPT = 2**27  # numbers of effects that are drawn once and kept, 1 GB
COPIES = 3  # of effects drawn for an answer
NOT_RULED_OUT = float(np.exp(-1.92))  # as at the end of a 95 % interval


class EachGroupError(Exception):
    """What is asked is of each group, and groups stand for all with their pattern of data here."""


@dataclass(frozen=True)
class Trouble:
    """What a run suffers from: its divergences, and R-hat and the smaller ESS where these are out of bounds."""

    divergences: int = 0
    rhat: float | None = None
    ess: float | None = None

    @classmethod
    def of(cls, seen: Diagnostics) -> Trouble:
        """The trouble of a run that was measured."""
        if seen.converged:
            return cls(seen.divergences)
        return cls(seen.divergences, seen.rhat, min(seen.ess_bulk, seen.ess_tail))

    @property
    def counted(self) -> str:
        """The number of divergences in words."""
        return f"{self.divergences} divergence{'s' * (self.divergences != 1)}"

    @property
    def figures(self) -> str:
        """R-hat and ESS in words; empty where the run has converged."""
        return "" if self.rhat is None else f"R-hat {self.rhat:.3f}, ESS {self.ess:.0f}"

    def __str__(self) -> str:
        return ", ".join(part for part in (self.counted if self.divergences else "", self.figures) if part)


@dataclass(frozen=True)
class Rerun:
    """A model sampled again: the trouble of the run before, and what was raised; None is what stayed."""

    trouble: Trouble
    target_accept: float | None = None
    draws: int | None = None

    def __str__(self) -> str:
        raised = [] if self.target_accept is None else [f"target_accept {self.target_accept}"]
        raised += [] if self.draws is None else [f"{self.draws} draws"]
        return f"sampled again with {' and '.join(raised)} ({self.trouble})"


@dataclass(frozen=True)
class History:
    """What happened while a posterior was sampled.

    Parameters
    ----------
    asked : Settings
        As the user gave them.
    engine : ChosenEngine
    reruns : tuple of Rerun
        In order; the first run is not among them.
    failure : str
        Why the last rerun left no draws; empty where it did, or was interrupted.
    kept : int
        Which run's draws are kept; the first one is 1.
    interrupted : bool
        Whether Ctrl-C ended the sampling early.
    """

    asked: Settings
    engine: ChosenEngine
    reruns: tuple[Rerun, ...] = ()
    failure: str = ""
    kept: int = 1
    interrupted: bool = False

    @property
    def runs(self) -> int:
        """How many runs left draws, where none was interrupted."""
        return 1 + len(self.reruns) - bool(self.failure)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of a model.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    tree : xarray.DataTree
        Groups ``posterior`` and ``sample_stats``, dims ``chain, draw``.
    settings : Settings
        Of the run that is kept; its seed repeats it.
    measured : Diagnostics, optional
        The run's diagnostics; None where draws are independent, and theirs are made when somebody asks.
    history : History, optional
        None where hiermod did not sample these draws.
    stored : Path, optional
        The file from which the draws were read.
    scores : Path, optional
        The folder beside that file in which scores of cross-validations are kept.
    informed : bool
        Whether data have spoken; False of draws from a prior.
    parts : tuple of Posterior
        The posteriors, as many draws of each, of which this one is a mixture; none of a fit.
    origin : Origin
        The versions and the machine that sampled; empty where they are not known.
    """

    spec: ModelSpec
    tree: xr.DataTree
    settings: Settings
    measured: Diagnostics | None
    history: History | None = None
    stored: Path | None = None
    scores: Path | None = None
    informed: bool = True
    parts: tuple[Posterior, ...] = ()
    origin: Origin = field(default_factory=Origin)

    @cached_property
    def diagnostics(self) -> Diagnostics:
        """How good the draws are."""
        return diagnose(self.tree) if self.measured is None else self.measured

    @property
    def provenance(self) -> Provenance:
        """What made the draws."""
        if self.history is None:
            return provenance(self.spec, None, "", self.origin)
        return provenance(self.spec, self.settings, self.history.engine.name, self.origin)

    @property
    def each(self) -> tuple[Posterior, ...]:
        """The posteriors that a mixture is of; of a fit, itself."""
        return self.parts or (self,)

    @property
    def dataset(self) -> xr.Dataset:
        """The posterior group."""
        return self.tree["posterior"].to_dataset()

    @property
    def shape(self) -> tuple[int, int]:
        """Chains and draws."""
        sizes = self.tree["posterior"].sizes
        return sizes["chain"], sizes["draw"]

    @property
    def size(self) -> int:
        """The number of draws of all chains."""
        chains, draws = self.shape
        return chains * draws

    @property
    def asked(self) -> Settings:
        """The settings as the user gave them."""
        return self.settings if self.history is None else self.history.asked

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the sampling early; the draws until then are kept."""
        return self.history is not None and self.history.interrupted

    @property
    def quadrature_error(self) -> float | None:
        """What the integrals behind independent draws may be off by, relative to them; None of a sampler's draws."""
        error = self.tree["sample_stats"].attrs.get(QUADRATURE_ERROR)
        return None if error is None else float(error)

    @property
    def integration_error(self) -> float | None:
        """What the log density of a sampler's draws is off by where effects are integrated out; None where none are."""
        error = self.tree["sample_stats"].attrs.get(INTEGRATION_ERROR)
        return None if error is None else float(error)

    @property
    def unbounded(self) -> list[int]:
        """The strata in which complete pooling is not ruled out, so that the size of pooled rates has no upper end."""
        found = np.atleast_1d(self.tree["sample_stats"].attrs.get(AT_ZERO, []))
        return np.flatnonzero(np.asarray(found, dtype=float) > NOT_RULED_OUT).tolist()

    def sizes_without_end(self) -> list[str]:
        """Of the strata in which the size has no upper end, the figures of it that still exist, in words."""
        spec, said = self.spec, []
        for stratum in self.unbounded:
            assert isinstance(spec, PooledSpec)
            _, size = self.population(stratum)
            low, middle = np.quantile(size, [0.05, 0.5]).tolist()
            where = f" of {spec.stratum_names[stratum]}" if spec.strata is not None else ""
            said.append(
                f"{spec.pool.size}{where} has no upper end: its median is {_three_digits(middle)}, and with 95 % it is "
                f"above {_three_digits(low)}"
            )
        return said

    @property
    def notices(self) -> tuple[str, ...]:
        """What happened on the way, in words; first the engine."""
        return () if self.history is None else (str(self.history.engine), *self.run_notices)

    @property
    def run_notices(self) -> tuple[str, ...]:
        """What happened while sampling, in words."""
        if self.history is None:
            return ()
        history, (chains, draws) = self.history, self.shape
        said = [str(rerun) for rerun in history.reruns]
        if history.failure:
            said.append(f"the rerun failed, so that the run before is kept: {history.failure}")
        if history.interrupted:
            said.append(f"interrupted: {draws:,} draws of {chains} chains are kept")
        elif history.kept < history.runs:
            said.append(
                f"kept run {history.kept} of {history.runs}, {draws:,} draws of each chain: later ones were worse"
            )
        return (*said, *self._remaining())

    def _remaining(self) -> list[str]:
        if self.quadrature_error is not None or self.diagnostics.clean:
            return []
        trouble, advice = Trouble.of(self.diagnostics), "see fit.check() for what to do"
        if trouble.divergences:
            stuck = "" if self.asked.target_accept is None else " (target_accept is the one you set)"
            return [f"{trouble.counted} remain{'s' * (trouble.divergences == 1)}{stuck}: {advice}"]
        return [f"not converged: {trouble.figures}: {advice}"]

    def values(self, name: str) -> np.ndarray:
        """Draws of one variable, chains one after the other: shape ``(draws, *shape of the variable)``.

        Of a threshold, ``Intercept[1]``, those of its entry.
        """
        entry = next((own for own in self.spec.family.entries if own.name == name), None)
        if entry is not None:
            return self.values(entry.variable)[:, self.spec.family.entries.index(entry)]
        values = self.dataset[name].values
        return values.reshape(-1, *values.shape[2:])

    def effects(self, term: GroupDesign, levels: np.ndarray | None = None) -> list[np.ndarray]:
        """Draws of each effect of a group term, shape ``(draws, groups, columns)``, of all groups or some.

        They are stored, or drawn now from their distribution given the hyperparameters: always the same for a group.
        """
        if not self.draws_effects(term):
            values = [self.values(effect.name) for effect in term.effects]
            chosen = values if levels is None else [draws[:, levels] for draws in values]
            return [draws.reshape(*draws.shape[:2], -1) for draws in chosen]
        drawn = self._drawn_effects(np.arange(term.grouping.size) if levels is None else levels)
        assert isinstance(self.spec, Spec)
        names = [own.effects[0].name for own in self.drawn_terms]
        before = self.drawn_terms[: names.index(term.effects[0].name)]
        first = sum(len(own.row_names) for own in before)
        widths = [len(effect.block.row_names()) for effect in term.effects]
        ends = first + np.cumsum(widths)
        return [drawn[:, :, end - width : end] for end, width in zip(ends.tolist(), widths, strict=True)]

    def draws_effects(self, term: GroupDesign) -> bool:
        """Whether the effects of a group term are drawn when they are asked for, rather than stored."""
        return term.effects[0].name not in self.tree["posterior"]

    @cached_property
    def drawn_terms(self) -> tuple[GroupDesign, ...]:
        """The group terms whose effects are drawn when they are asked for: all those of one factor, or none."""
        return (
            tuple(term for term in self.spec.groups if self.draws_effects(term)) if isinstance(self.spec, Spec) else ()
        )

    @property
    def drawn_grouping(self) -> Grouping:
        """The grouping factor of these."""
        return self.drawn_terms[0].grouping

    def _drawn_effects(self, levels: np.ndarray) -> np.ndarray:
        """Draws of all effects of some groups of that factor; ``(draws, groups, width)``.

        Raises
        ------
        EachGroupError
            If groups stand for others here.
        AnswerError
            If they do not fit in memory.
        """
        if self.parts:
            return np.concatenate([part._all_effects(self.drawn_terms, levels) for part in self.parts])
        if self.spec.cells.by_patterns:
            grouping = self.drawn_grouping
            if grouping.places is None or (grouping.places[levels] < 0).any():
                raise EachGroupError
            return self._conditional.draw(levels, self._generator_of_group)
        if self._kept_effects is not None:
            return self._kept_effects[:, levels]
        self._refuse_many(len(levels))
        return self._conditional.draw(levels, self._generator_of_group)

    def _refuse_many(self, groups: int) -> None:
        """Refuse effects that do not fit in memory.

        Raises
        ------
        AnswerError
        """
        name = self.drawn_grouping.name
        need = NUMBER * COPIES * self.size * groups * sum(len(term.row_names) for term in self.drawn_terms)
        what = f"The effects of {groups:,} groups in {self.size:,} draws"
        some = f"rates(by={name!r}, where={{{name!r}: [...]}})"
        refuse_beyond(need, what, f"ask about some groups, as in {some}, or of a fit with fewer draws", AnswerError)

    def _all_effects(self, terms: tuple[GroupDesign, ...], levels: np.ndarray) -> np.ndarray:
        """The same of group terms, whose effects may be stored."""
        if len(self.drawn_terms) == len(terms):
            return self._drawn_effects(levels)
        return np.concatenate([own for term in terms for own in self.effects(term, levels)], axis=2)

    @cached_property
    def _kept_effects(self) -> np.ndarray | None:
        """Those of all groups, where they are few enough to be kept."""
        grouping = self.drawn_grouping
        numbers = grouping.size * self.size * sum(len(term.row_names) for term in self.drawn_terms)
        if numbers > KEPT:
            return None
        return self._conditional.draw(np.arange(grouping.size), self._generator_of_group)

    @cached_property
    def _conditional(self) -> Conditional:
        from hiermod.sampling.by_marginal import conditional_of

        assert isinstance(self.spec, Spec)
        return conditional_of(self.spec, self.values)

    @cached_property
    def conditional(self) -> Conditional | None:
        """The distribution of groups' effects given the draws, where they are drawn when they are asked for."""
        return None if self.parts or not self.drawn_terms else self._conditional

    def thinned(self, draws: np.ndarray) -> Posterior:
        """The same of some of the draws, as one chain."""
        arrays = {}
        for name, array in self.dataset.data_vars.items():
            values = array.transpose("chain", "draw", ...)
            arrays[name] = values.dims, values.to_numpy().reshape(1, -1, *values.shape[2:])[:, draws]
        groups = {"posterior": xr.Dataset(arrays), "sample_stats": xr.Dataset(attrs=self.tree["sample_stats"].attrs)}
        return replace(self, tree=xr.DataTree.from_dict(groups))

    def _generator_of_group(self, group: int) -> np.random.Generator:
        grouping = self.drawn_grouping
        place = group if grouping.places is None else int(grouping.places[group])
        key = np.array([self.settings.seed or 0, place], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key))

    def rates(self, levels: np.ndarray) -> np.ndarray:
        """Draws of the rates of some groups under pooled rates, stored or drawn now; shape ``(draws, levels)``."""
        spec = self.spec
        assert isinstance(spec, PooledSpec)
        if spec.rate_name in self.tree["posterior"]:
            return self.values(spec.rate_name)[:, levels]
        mean, size = self.population(slice(None) if spec.strata is not None else 0)
        return spec.drawn_rates(mean, size**-0.5, levels, self.settings.seed or 0)

    def population(self, stratum: np.ndarray | slice | int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Draws of the mean and the size of pooled rates in some strata, shape ``(draws, ...)``."""
        spec = self.spec
        assert isinstance(spec, PooledSpec)
        if (fixed := spec.hyperprior.fixed) is not None:
            known = np.ones((self.size, len(spec.stratum_names)))[:, stratum]
            return fixed[0] * known, fixed[1] * known
        mean, spread = (self.values(name).reshape(self.size, -1)[:, stratum] for name in (MEAN, SPREAD))
        return mean, spread**-2.0

    def generator(self, purpose: int, label: str = "") -> np.random.Generator:
        """A random generator that is always the same for this run, purpose and label, in any process."""
        digest = hashlib.blake2b(label.encode(), digest_size=16).digest() if label else b""
        return np.random.default_rng([self.settings.seed or 0, purpose, *digest])


def _three_digits(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.10g}"
