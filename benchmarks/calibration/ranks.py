"""One replication: parameters and data from the prior, a fit, and the rank of each truth among thinned draws."""

from __future__ import annotations

import contextlib
import io
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import arviz_stats as azs
import numpy as np
import xarray as xr

from benchmarks.calibration.shapes import Shape
from benchmarks.calibration.simulate import Values

if TYPE_CHECKING:
    from hiermod import Fit

PER_CHAIN = 25
CHAINS = 4
DRAWS = PER_CHAIN * CHAINS
MANY_GROUPS, FIRST_GROUPS = 8, 4


@dataclass(frozen=True)
class Replication:
    """The ranks of one replication, and how its run went; `thinned` quantities have fewer than `DRAWS` draws."""

    number: int
    ranks: dict[str, int]
    seconds: float
    reruns: int
    divergences: int
    rhat: float
    ess: float
    thinned: int


def replicate(shape: Shape, number: int, seed: int, engine: str = "auto") -> Replication:
    """Simulate, fit and rank; the same numbers for the same seed and engine."""
    import hiermod as hm

    rng = np.random.default_rng([seed, zlib.crc32(shape.name.encode()), number])
    truth = shape.model.draw_parameters(rng)
    data = shape.model.simulate_response(truth, rng)
    true = {question.name: question.answer(shape.model, truth, rng) for question in shape.questions}
    true["log likelihood"] = shape.model.log_likelihood(data, truth)
    started = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):  # its notices
        fit = hm.fit(
            shape.formula, data, shape.family, priors=shape.model.priors, pooling=shape.pooling, chains=CHAINS, cores=1,
            seed=int(rng.integers(2**31)), engine=engine, progress=False,
        )  # fmt: skip
        seconds = time.perf_counter() - started
        draws = {question.name: question.ask(fit).to_numpy() for question in shape.questions}
    posterior = {name: _drawn(fit, name) for name in truth}
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in posterior.items()}
    draws["log likelihood"] = shape.model.log_likelihood(data, flat).reshape(next(iter(posterior.values())).shape[:2])
    names, truths, chains = _stacked(shape, truth, posterior, true, draws)
    ess, rhat = effective_sizes(chains), azs.rhat(_labelled(chains))["x"].to_numpy()
    ranks = [rank(*each, rng) for each in zip(truths, np.moveaxis(chains, 2, 0), ess, strict=True)]
    return Replication(
        number,
        dict(zip(names, ranks, strict=True)),
        seconds,
        len(fit.sampled_posterior.history.reruns),
        fit.sampled_posterior.diagnostics.divergences,
        float(np.nanmax(rhat)),
        float(ess.min()),
        int((ess < DRAWS).sum()),
    )


def _drawn(fit: Fit, name: str) -> np.ndarray:
    """Draws of a variable, chains by draws; effects that no fit stores are drawn from their distribution."""
    if name in fit.posterior:
        return fit.posterior[name].to_numpy()
    posterior = fit.sampled_posterior
    (term,) = (term for term in posterior.spec.groups if name in {effect.name for effect in term.effects})
    place = [effect.name for effect in term.effects].index(name)
    effects = posterior.effects(term)[place][..., 0]
    return effects.reshape(*posterior.shape, -1)


def _stacked(
    shape: Shape, truth: Values, posterior: Values, true: Values, draws: Values
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """All quantities: their names, truths, and draws of shape ``(chains, draws, quantities)``."""
    names, truths, chains = [], [], []
    effects = {name for bar in shape.model.bars for name in bar.effects}
    for name, value in [*((name, value[0]) for name, value in truth.items()), *true.items()]:
        own = posterior[name] if name in truth else draws[name]
        for place in _places(np.shape(value), name in effects):
            index = ",".join(map(str, place))
            names.append(f"{name}[{index}]" if index else name)
            truths.append(float(np.asarray(value)[place]))
            chains.append(own.reshape(*own.shape[:2], *np.shape(value))[(..., *place)])
    return names, np.array(truths), np.stack(chains, axis=-1)


def _places(size: tuple[int, ...], is_effect: bool) -> list[tuple[int, ...]]:
    """The entries of a variable; of the effects of many groups, those of the first few and of the last."""
    kept = [*range(FIRST_GROUPS), size[0] - 1] if is_effect and size[0] > MANY_GROUPS else None
    return [place for place in np.ndindex(size) if kept is None or place[0] in kept]


def _labelled(chains: np.ndarray) -> xr.Dataset:
    return xr.Dataset({"x": (("chain", "draw", "quantity"), chains)})


def effective_sizes(chains: np.ndarray) -> np.ndarray:
    """The lesser of bulk and tail ESS of each quantity; where draws never change, their number."""
    data = _labelled(chains)
    sizes = np.minimum(azs.ess(data, method="bulk")["x"].to_numpy(), azs.ess(data, method="tail")["x"].to_numpy())
    return np.where(np.isfinite(sizes), sizes, chains[:, :, 0].size)


def rank(truth: float, chains: np.ndarray, ess: float, rng: np.random.Generator) -> int:
    """The rank of a truth among draws of shape ``(chains, draws)``, uniform on 0, …, `DRAWS`.

    `PER_CHAIN` draws of each chain count, evenly spread; fewer where the chains hold fewer independent ones. A rank
    among fewer is stretched at random to the same range, which keeps it uniform. Ties are broken at random.
    """
    count = int(np.clip(ess // len(chains), 1, PER_CHAIN))
    kept = chains[:, ((np.arange(count) + 0.5) * chains.shape[1] / count).astype(int)]
    found = int((kept < truth).sum()) + int(rng.integers((kept == truth).sum() + 1))
    if kept.size == DRAWS:
        return found
    return int((found + rng.random()) / (kept.size + 1) * (DRAWS + 1))
