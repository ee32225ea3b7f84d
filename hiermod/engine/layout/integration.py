"""How effects of one factor are integrated out of a problem: what compiled code reads, and what coordinates ask."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy import sparse

from hiermod.engine.layout.memory import Memory


class Integration(Protocol):
    """Integrals over the effects of one factor.

    Rows are those of the problem, whose linear predictors without these effects are `base`; `root` is Λ of the factor.
    """

    @property
    def kind(self) -> int:
        """`BY_NODES` or `IN_CLOSED_FORM`."""

    @property
    def memory(self) -> Memory:
        """What compiled code reads."""

    @property
    def room(self) -> int:
        """How many numbers of its own an evaluation needs."""

    def at(self, base: np.ndarray, root: np.ndarray) -> Integration:
        """The same, computed as is best near a point."""

    def information(
        self, matrix: sparse.csr_array, base: np.ndarray, root: np.ndarray, auxiliary: np.ndarray
    ) -> sparse.csr_array:  # fmt: skip
        """What data say of the coefficients, whose design is `matrix`, roughly: shape ``(coefficients, coefficients)``.

        `auxiliary` are the family's parameters.
        """
