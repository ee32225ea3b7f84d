"""The effects of a problem's largest factor integrated out, and all else left to the sampler.

Given the coefficients of the rest, which may be very many, groups of the largest factor are independent. So compiled
code takes the sum of their integrals as a likelihood, whose entries are rows, with its exact gradient.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from hiermod.data.columns.values import first_of
from hiermod.engine.kernels.plain import room_of_integrals, room_of_moments
from hiermod.engine.kernels.record import BY_NODES, IN_CLOSED_FORM, MOMENTS
from hiermod.engine.layout.memory import Memory, lay_out
from hiermod.engine.layout.problem import GAUSSIAN, Problem
from hiermod.marginal.gaussian import gaussian_likelihood
from hiermod.marginal.patterns import find_entries, joint_ids
from hiermod.marginal.quadrature import LINKS, NEVER, PatternLikelihood, find_modes, likelihood_of_patterns


@dataclass(frozen=True, eq=False)
class ByNodes:
    """By quadrature, pattern by pattern; the likelihood's patterns have no design of their own."""

    likelihood: PatternLikelihood

    @property
    def kind(self) -> int:
        """As `Integration.kind` says."""
        return BY_NODES

    @property
    def memory(self) -> Memory:
        """What compiled code reads."""
        return self.likelihood.memory

    @property
    def room(self) -> int:
        """As `Integration.room` says."""
        return room_of_integrals(*(int(self.memory.record[name][0]) for name in ("lanes", "width", "nodes", "longest")))

    def at(self, base: np.ndarray, root: np.ndarray) -> ByNodes:
        """The same, nodes standing where one point puts them."""
        return ByNodes(self.likelihood.at_predictors(base[self.likelihood.blocks.entries], root))

    def with_nodes(self, number: int) -> ByNodes:
        """The same with so many nodes a dimension."""
        return ByNodes(self.likelihood.with_nodes(number))

    def information(
        self, matrix: sparse.csr_array, base: np.ndarray, root: np.ndarray, auxiliary: np.ndarray
    ) -> sparse.csr_array:  # fmt: skip
        """By the Laplace approximation, at each pattern's mode."""
        own, kernel, places = self.likelihood.patterns, self.likelihood.kernel, self.likelihood.blocks.entries
        matrix, base = matrix[places], base[places]
        normals, spread = find_modes(own, kernel, base, root)
        along, group = own.multipliers @ root, own.pattern_of_entry
        variance = LINKS[kernel].slopes(np.clip(base + (along * normals[group]).sum(axis=1), -500.0, 500.0))[1]
        weight, times = own.size * variance, own.counts
        known = matrix.T @ (matrix * (weight * times[group])[:, None])
        turned = np.einsum("eij,ei->ej", spread[group], along) * (weight * np.sqrt(times[group]))[:, None]
        every, shape = np.arange(len(weight)), (len(times), len(weight))
        for column in turned.T:
            explained = sparse.csr_array((column, (group, every)), shape=shape) @ matrix
            known = known - explained.T @ explained
        return sparse.csr_array(known)


@dataclass(frozen=True, eq=False)
class InClosedForm:
    """Of a Gaussian model.

    Parameters
    ----------
    memory : Memory
        Of structures: groups with the same information.
    """

    memory: Memory

    @property
    def kind(self) -> int:
        """As `Integration.kind` says."""
        return IN_CLOSED_FORM

    @property
    def room(self) -> int:
        """As `Integration.room` says."""
        return room_of_moments(*(int(self.memory.record[name][0]) for name in ("width", "length")))

    def at(self, base: np.ndarray, root: np.ndarray) -> InClosedForm:
        """The same: it is exact everywhere."""
        return self

    def information(
        self, matrix: sparse.csr_array, base: np.ndarray, root: np.ndarray, auxiliary: np.ndarray
    ) -> sparse.csr_array:  # fmt: skip
        """Exactly."""
        arrays, precision = self.memory.arrays, auxiliary[0] ** -2.0
        known = precision * arrays["moments"][1:, 1:]
        inner = np.eye(len(root)) + precision * np.einsum(
            "ki,skl,lj->sij", root, arrays["structure_information"], root, optimize=True
        )
        factor = root @ np.linalg.inv(np.linalg.cholesky(inner)).swapaxes(1, 2)
        for vectors in np.moveaxis(arrays["vectors"][..., 1:], 1, 0):
            turned = precision * np.einsum("sij,sic->sjc", factor, vectors).reshape(-1, vectors.shape[2])
            known = known - turned.T @ turned
        return sparse.csr_array(known)


def integrated_problem(problem: Problem) -> Problem:
    """The problem with the effects of its last factor integrated out; nodes are not placed yet."""
    return _in_closed_form(problem) if problem.kernel == GAUSSIAN else _by_nodes(problem)


def numbers_of_conditional(problem: Problem) -> int:
    """How many numbers the distribution of effects given all else takes: entries, or groups, times coefficients."""
    assert problem.integrated is not None
    columns = 1 + problem.coefficients
    if isinstance(problem.integration, InClosedForm):
        return problem.integrated.groups * problem.integrated.width * columns
    return len(problem.response) * columns


def _by_nodes(problem: Problem) -> Problem:
    found = find_entries(problem)
    own, rows = found.patterns, found.rows
    likelihood = likelihood_of_patterns(own, problem.kernel, np.zeros(0))
    content, first, blocks = found.content[rows], first_of(found.content[rows]), likelihood.blocks
    response = np.zeros(len(rows))
    response[first] = np.bincount(found.content, problem.response)[content[first]]
    size = own.size * own.counts[own.pattern_of_entry]
    places = np.zeros(int(blocks.starts[-1]) * blocks.lanes, dtype=int)
    places[blocks.entries] = rows
    return replace(
        _of_rows(problem, places), offset=blocks.of_entries(problem.offset[rows], empty=NEVER),
        response=blocks.of_entries(response), size=blocks.of_entries(size), integration=ByNodes(likelihood),
    )  # fmt: skip


def _in_closed_form(problem: Problem) -> Problem:
    """One row for each combination of the levels of other factors remains, which tells how these are nested."""
    likelihood, width = gaussian_likelihood(problem), problem.factors[-1].width
    slots, _, structures = likelihood.vectors.shape
    size = len(likelihood.totals)
    information = np.zeros((structures, width, width))
    for numbers, (i, j) in zip(likelihood.information[1:], zip(*np.tril_indices(width), strict=True), strict=True):
        information[:, i, j] = information[:, j, i] = numbers
    counts = {"structures": structures, "slots": slots, "width": width, "length": size}
    arrays = {
        "structure_information": information, "structure_counts": likelihood.counts,
        "vectors": likelihood.vectors.reshape(slots, width, size, structures).transpose(3, 0, 1, 2),
        "moments": likelihood.totals, "rest": np.array([likelihood.squares, likelihood.observations]),
    }  # fmt: skip
    codes = [own.codes for own in problem.factors[:-1]]
    rows = first_of(joint_ids(codes)) if codes else np.zeros(0, dtype=int)
    return replace(
        _of_rows(problem, rows), response=problem.response[rows], size=problem.size[rows],
        integration=InClosedForm(lay_out(counts, arrays, MOMENTS)),
    )  # fmt: skip


def _of_rows(problem: Problem, rows: np.ndarray) -> Problem:
    """The problem of some rows, the last factor standing apart."""
    *others, last = (
        replace(own, codes=own.codes[rows], multipliers=own.multipliers[:, rows]) for own in problem.factors
    )
    count = problem.count[rows] if len(problem.count) else problem.count
    return replace(
        problem, design=np.ascontiguousarray(problem.design[:, rows]), offset=problem.offset[rows], count=count,
        factors=tuple(others), integrated=last,
    )  # fmt: skip
