"""`ModelSpec`: what every model of given data answers, however its groups are pooled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import numpy as np

from hiermod.data.cells.table import Cells
from hiermod.families.record import Family
from hiermod.formula.nodes import Formula
from hiermod.modeling.design import GroupDesign, LinearPredictor
from hiermod.modeling.prior_choice import Priors
from hiermod.modeling.variables import Variable

Question = Literal["prior", "effects", "slopes", "rows", "plan", "bambi", "compiled"]
PriorRow = tuple[str, str, str, str]


class ModelSpec(Protocol):
    """A model of given data: `Spec`, or `PooledSpec`, which has neither linear predictors nor group terms."""

    @property
    def formula(self) -> Formula:
        """As it was written."""

    @property
    def family(self) -> Family:
        """Of the response."""

    @property
    def cells(self) -> Cells:
        """The data; ``cells.groupings`` are the grouping factors."""

    @property
    def predictors(self) -> Mapping[str, LinearPredictor]:
        """The linear predictors by the family's parameters."""

    @property
    def groups(self) -> tuple[GroupDesign, ...]:
        """The group terms."""

    @property
    def priors(self) -> Priors:
        """The proper priors, by variable."""

    @property
    def improper(self) -> bool:
        """Whether the prior is none without data, so that `with_cells` may refuse."""

    def variables(self) -> tuple[Variable, ...]:
        """The variables of its posterior, in order."""

    def prior_rows(self) -> list[PriorRow]:
        """Of each prior: the parameter, its prior, the scale it lives on, and where the predictors stand for it."""

    def refuses(self, question: Question) -> str | None:
        """Why a question does not apply to the model: None where it does.

        Questions are of draws and densities of the prior, effects of groups, derivatives, densities of single rows,
        true values of simulations, Bambi's model, and the compiled engine.
        """

    def with_cells(self, cells: Cells) -> ModelSpec:
        """The same model, its coding and its priors, of other cells of the same groups.

        Raises
        ------
        DataError
            If they leave no proper posterior.
        """

    def refuse_exact(self) -> None:
        """Refuse a response whose density has no bound, since predictors make it up exactly."""

    def derived(self, sampled: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
        """Draws of the variables that are not sampled but known given these, of shape ``(chain, draw, ...)``."""
