"""Scores of pooled rates without draws: what is left out is given what remains, whose posterior is integrated anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hiermod.answers.scoring.group_density import PooledGroups
from hiermod.data.cells.observations import Members, Observations
from hiermod.errors import AnswerError, enumerate_names
from hiermod.exact.leave_out import LeavingOut, Pattern
from hiermod.modeling.pooled import PooledSpec
from hiermod.sampling.posterior import Posterior


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of a group: its level, their events and exposure, and the group's data without them."""

    level: int
    events: float
    exposure: float
    rest: Pattern


class ExactScores:
    """Log densities of some rows, given all others, under a model of pooled rates."""

    def __init__(self, posterior: Posterior, spec: PooledSpec, seen: Observations) -> None:
        self._spec, self._groups = spec, PooledGroups(posterior, spec, seen)

    @cached_property
    def _strata(self) -> list[LeavingOut]:
        spec = self._spec
        inside = (spec.stratum == stratum for stratum in range(len(spec.stratum_names)))
        return [LeavingOut(spec.hyperprior, spec.events[own], spec.exposure[own]) for own in inside]

    def joint(self, group: Members, unseen: bool = True) -> tuple[float, float]:
        """Of rows together, given all others; and what the model, knowing all rows, expects of such ones.

        With `unseen`, a group that leaves as a whole is expected as a new one, otherwise as itself once more.
        """
        parts, constant = self._parts(group)
        elpd, known = constant, constant
        for stratum, own in self._by_stratum(parts).items():
            place = self._strata[stratum]
            elpd += place.log_score([(self._total(part), part.rest) for part in own])
            known += place.log_expected(place.whole, [self._again(part, unseen) for part in own])
        return elpd, known

    def single(self, group: Members) -> tuple[np.ndarray, np.ndarray]:
        """Of each of some rows by itself, given all rows but these; and what the model expects, knowing all rows."""
        parts, _ = self._parts(group)
        without = {
            stratum: self._strata[stratum].without([(self._total(part), part.rest) for part in own])
            for stratum, own in self._by_stratum(parts).items()
        }
        rest = {part.level: part.rest for part in parts}
        elpd, known = np.empty(len(group.places)), np.empty(len(group.places))
        for number, row in enumerate(group.places):
            (own,), constant = self._parts(Members(np.array([row]), np.ones(1, dtype=np.int64)))
            stratum = int(self._spec.stratum[own.level])
            place, part = self._strata[stratum], Part(own.level, own.events, own.exposure, rest[own.level])
            added = (part.rest[0] + part.events, part.rest[1] + part.exposure)
            elpd[number] = constant + place.log_expected(without[stratum], [(part.rest, added)])
            known[number] = constant + place.log_expected(place.whole, [self._again(part, True)])
        return elpd, known

    def refuse_improper(self, group: Members, what: str) -> None:
        """Refuse where nothing proper remains, and name the groups that are needed.

        Raises
        ------
        AnswerError
        """
        spec = self._spec
        if not spec.needed:
            return
        parts, _ = self._parts(group)
        for stratum, own in self._by_stratum(parts).items():
            informative = self._informative[stratum]
            lost = sum(part.level in informative and not self._informs(part) for part in own)
            if len(informative) - lost < spec.needed:
                needed = enumerate_names([str(spec.grouping.labels()[level]) for level in sorted(informative)])
                raise AnswerError(
                    f"{what} cannot be left out: a proper posterior needs {needed}. {self._why_improper(parts)}"
                )

    def _why_improper(self, parts: Sequence[Part]) -> str:
        events, exposure = self._spec.events.copy(), self._spec.exposure.copy()
        for part in parts:
            events[part.level], exposure[part.level] = part.rest
        return replace(self._spec, events=events, exposure=exposure).why_improper() or ""

    def label(self, group: Members) -> str:
        """The name of the first group in rows."""
        return str(self._spec.grouping.labels()[self._groups.occurrence.codes[group.places[0]]])

    @cached_property
    def _informative(self) -> list[set[int]]:
        spec = self._spec
        levels = np.flatnonzero(spec.pool.informative(spec.events, spec.exposure))
        return [set(levels[spec.stratum[levels] == own].tolist()) for own in range(len(spec.stratum_names))]

    def _informs(self, part: Part) -> bool:
        return bool(self._spec.pool.informative(*map(np.asarray, part.rest)))

    def _parts(self, group: Members) -> tuple[list[Part], float]:
        """The rows by their groups, and what depends on these data alone."""
        spec = self._spec
        levels, events, exposure, constant = self._groups.totals(group)
        new = self._groups.occurrence.new(group)[levels]
        rests = np.where(new, 0.0, [spec.events[levels] - events, spec.exposure[levels] - exposure])
        rows = zip(levels.tolist(), events.tolist(), exposure.tolist(), rests.T.tolist(), strict=True)
        return [Part(level, own, size, (rest[0], rest[1])) for level, own, size, rest in rows], constant

    def _by_stratum(self, parts: Sequence[Part]) -> dict[int, list[Part]]:
        by_stratum: dict[int, list[Part]] = {}
        for part in parts:
            by_stratum.setdefault(int(self._spec.stratum[part.level]), []).append(part)
        return by_stratum

    def _total(self, part: Part) -> Pattern:
        return float(self._spec.events[part.level]), float(self._spec.exposure[part.level])

    def _again(self, part: Part, unseen: bool) -> tuple[Pattern, Pattern]:
        """The rows once more: of an unseen group, or of one whose data are known."""
        before = (0.0, 0.0) if unseen and not any(part.rest) else self._total(part)
        return before, (before[0] + part.events, before[1] + part.exposure)
