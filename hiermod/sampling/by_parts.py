"""Sampling a hurdle's two parts apart, by the compiled engine, where these share nothing; their draws are joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from hiermod.engine import nutpie_core
from hiermod.engine.layout.hurdles import parts_of
from hiermod.engine.layout.problem import Problem, read_problem
from hiermod.engine.layout.units import in_own_unit
from hiermod.modeling.protocol import DIMS, dataset_of, labelled
from hiermod.modeling.spec import Spec
from hiermod.sampling.native import Native, placed
from hiermod.sampling.settings import ChosenEngine, Settings

PART = 102  # the purpose of the random numbers of a further part
JOINED: Mapping[str, np.ufunc] = {  # what several parts' statistics of a draw are together
    "energy": np.add, "logp": np.add, "n_steps": np.add, "step_size": np.minimum, "depth": np.maximum,
    "diverging": np.logical_or, "maxdepth_reached": np.logical_or,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class OneShare:
    """The share of zeros where it is one number with a Beta prior, and so a Beta posterior: independent draws."""

    problem: Problem

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Draw once, as `Sampler.run` says."""
        (share,), size = self.problem.hyperparameters, (settings.chains, settings.draws)
        a, b = share.prior.arguments
        zeros, rows = self.problem.response.sum(), self.problem.size.sum()
        draws = np.random.default_rng([settings.seed or 0, PART]).beta(a + zeros, b + rows - zeros, size)
        posterior = dataset_of(self.problem.spec.variables(), {share.name: draws})
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset()}), False


@dataclass(frozen=True, eq=False)
class ByParts:
    """Programs of independent parts of one posterior, ready to be sampled; the first is of what is above 0."""

    first: Native
    zeros: Native | OneShare

    @property
    def engine(self) -> ChosenEngine:
        """The compiled one."""
        return ChosenEngine("compiled", "zeros and what is above them share nothing, and are sampled apart")

    @property
    def tune(self) -> int:
        """Warm-up of each chain."""
        return self.first.tune

    @property
    def target_accept(self) -> float:
        """The more cautious one."""
        zeros = self.zeros.target_accept if isinstance(self.zeros, Native) else 0.0
        return max(self.first.target_accept, zeros)

    def run(self, settings: Settings, progress: bool) -> tuple[xr.DataTree, bool]:
        """Sample each part once, and join them draw by draw, as `Sampler.run` says.

        Where one was interrupted, the next has as many draws as are kept of it.
        """
        trees: list[xr.DataTree] = []
        interrupted = False
        for place, part in enumerate((self.first, self.zeros)):
            seed = settings.seed or 0
            own = seed if place == 0 else int(np.random.SeedSequence([seed, PART, place]).generate_state(1)[0])
            tree, stopped = part.run(replace(settings, seed=own), progress)
            interrupted |= stopped
            sizes = tree["posterior"].sizes
            settings = replace(settings, chains=sizes["chain"], draws=sizes["draw"])
            trees.append(tree)
        return _joined(self.first.program.problem.spec, trees, settings.chains, settings.draws), interrupted


def _joined(spec: Spec, trees: list[xr.DataTree], chains: int, draws: int) -> xr.DataTree:
    """One tree of all variables; what is said of a draw, of the draws of all parts together."""
    values = {str(name): array.values[:chains, :draws] for tree in trees
              for name, array in tree["posterior"].data_vars.items()}  # fmt: skip
    parts = [{str(name): array.values[:chains, :draws] for name, array in tree["sample_stats"].data_vars.items()}
             for tree in trees]  # fmt: skip
    measured = [part for part in parts if part]
    stats = {name: (DIMS, JOINED[name].reduce([part[name] for part in measured])) for name in measured[0]}
    labels = {dim: np.arange(size) for dim, size in zip(DIMS, (chains, draws), strict=True)}
    posterior = dataset_of(spec.variables(), values)
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": labelled(stats, labels)})


def prepare(spec: Spec, announce: Callable[[str], None]) -> Native | ByParts:
    """Read a spec, and choose coordinates at its mode, or at that of each of its parts.

    Raises
    ------
    hiermod.engine.nutpie_core.UnavailableError
        If nutpie's core is not as it is known.
    """
    nutpie_core.check()
    parts = parts_of(in_own_unit(read_problem(spec)))
    if len(parts) == 1:
        return placed(parts[0], announce)
    above, zeros = parts
    return ByParts(placed(above, announce), OneShare(zeros) if _is_one_share(zeros) else placed(zeros, announce))


def _is_one_share(problem: Problem) -> bool:
    priors = [each.prior for each in problem.hyperparameters]
    return problem.dimension == 1 and len(priors) == 1 and priors[0].name == "Beta"
