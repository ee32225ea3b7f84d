"""Fits of some of the observations, and what they expect of the others. The model stays: its coding and its priors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from hiermod.answers.reader import predicted, reader
from hiermod.answers.scoring.integrated import integrated_rows
from hiermod.answers.scoring.kept import Place, add_observations, draws_digest
from hiermod.data.cells.observations import Observations, part
from hiermod.families.probes import fingerprint
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.parallel import each, fit_one
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings
from hiermod.version import __version__


@dataclass(frozen=True, eq=False)
class Refit:
    """A fit to come: of observations counted `times`, under a seed that `purpose` makes of the run's own.

    `times` may leave out groups altogether: their effects are then drawn from what the others say of the population.
    `scores` is the folder of its scores beside the file of the fit of all rows, if that has one.
    """

    spec: ModelSpec
    settings: Settings
    seen: Observations
    times: np.ndarray
    purpose: tuple[int, ...]
    scores: Path | None = None

    @classmethod
    def without(cls, posterior: Posterior, seen: Observations, times: np.ndarray, purpose: tuple[int, ...]) -> Refit:
        """A fit like that of a posterior, without `times` of each observation.

        Its settings are those of the run that was kept, free to raise its target again where there is trouble.
        """
        settings = replace(posterior.settings, tune=None, target_accept=None)
        return cls(posterior.spec, settings, seen, seen.times - times, purpose, posterior.scores)

    def run(self) -> Posterior:
        """Sample; nothing is read again, and nothing compiled anew where the compiled engine takes the model."""
        cells = part(self.spec.cells, self.seen, self.times)
        seed = np.random.SeedSequence([self.settings.seed or 0, *self.purpose]).generate_state(1, np.uint64)[0]
        return fit_one(self.spec.with_cells(cells), replace(self.settings, seed=int(seed >> 1)))

    def fingerprint(self) -> str:
        """A text that is the same where the draws are: of the model, the rows with their counts, and the settings."""
        spec = self.spec
        model = (
            type(spec).__name__,
            str(spec.formula),
            fingerprint(spec.family),
            spec.priors,
            spec.cells.source.fingerprint,
        )
        digest = hashlib.sha256(repr((__version__, *model, self.settings, self.purpose)).encode())
        add_observations(digest, self.seen)
        digest.update(np.ascontiguousarray(self.times).tobytes())
        return digest.hexdigest()


def log_densities(posterior: Posterior, seen: Observations) -> Iterator[np.ndarray]:
    """Log densities of the observations, one after another: each in every draw."""
    model = reader(posterior, exposed=True)
    for response, row in predicted(model, seen):
        yield model.log_density(response, row)


def expected(posterior: Posterior, seen: Observations) -> np.ndarray:
    """Log predictive density of each observation under a posterior that may not have seen it."""
    count = np.log(posterior.size)
    if (own := integrated_rows(posterior, seen)) is not None:
        found = np.empty(len(seen))
        for places, density in own.given_all():
            found[places] = special.logsumexp(density) - count
        return found
    return np.array([special.logsumexp(density) - count for density in log_densities(posterior, seen)])


def score(task: tuple[Refit, Observations]) -> tuple[np.ndarray, bool]:
    """Log predictive densities of what a fit leaves out, and whether the fit is clean."""
    refit, held_out = task
    posterior = refit.run()
    return expected(posterior, held_out), posterior.diagnostics.clean


@dataclass(frozen=True)
class Runs:
    """How the fits of a cross-validation are run.

    Parameters
    ----------
    progress : bool
        Whether to count them on stderr.
    folder : Path, optional
        Where the scores of each are kept as soon as it is done, and looked for before it is run; otherwise the folder
        beside the fit's own file, where there is one.
    say : callable
        Is told how many were found there.
    """

    progress: bool = False
    folder: Path | None = None
    say: Callable[[str], None] = lambda _: None
    said: set[str] = field(default_factory=set, init=False)

    def _say_once(self, trouble: str) -> None:
        if trouble and trouble not in self.said:
            self.said.add(trouble)
            self.say(trouble)

    def each(self, work: Callable[[Any], tuple[Any, ...]], tasks: Sequence[Any], kind: str, what: str) -> list[Any]:
        """The numbers that `work` makes of every task, in order; a task begins with its `Refit`."""
        places = [
            Place(refit.spec, f"{kind}-{refit.fingerprint()[:32]}", self.folder, refit.scores) for refit, *_ in tasks
        ]
        results = [place.found() for place in places]
        absent = [number for number, numbers in enumerate(results) if numbers is None]
        folders = {str(place.path.parent) for number, place in enumerate(places) if number not in absent and place.read}
        if folders:
            self.say(f"reused {len(tasks) - len(absent)} of {len(tasks)} {what} kept in {', '.join(sorted(folders))}")

        def keep(number: int, numbers: tuple[Any, ...]) -> None:
            results[absent[number]] = numbers
            self._say_once(places[absent[number]].keep(numbers))

        each(work, [tasks[number] for number in absent], self.progress, what, keep)
        return results

    def once(
        self, posterior: Posterior, kind: str, seen: Observations, compute: Callable[[], tuple[Any, ...]], *extra: Any
    ) -> tuple[Any, ...]:  # fmt: skip
        """Numbers that follow from the draws and the observations, and from what else is named."""
        digest = hashlib.sha256(repr((__version__, kind, *extra)).encode())
        digest.update(draws_digest(posterior))
        add_observations(digest, seen)
        place = Place(posterior.spec, f"{kind}-{digest.hexdigest()[:32]}", self.folder, posterior.scores)
        numbers = place.found()
        if numbers is None:
            numbers = compute()
            self._say_once(place.keep(numbers))
        elif place.read:
            self.say(f"reused scores kept in {place.path.parent}")
        return numbers
