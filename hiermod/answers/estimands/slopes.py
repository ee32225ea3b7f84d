"""`slopes`: how much the expected response changes with a numeric predictor, averaged over rows within each draw."""

from __future__ import annotations

from hiermod.answers.answer import Answer, make_answer
from hiermod.answers.averaging.columns import check_results
from hiermod.answers.averaging.grid import Averaging, cell_grid
from hiermod.answers.averaging.query import Arguments, read_slope
from hiermod.answers.averaging.rows import Base
from hiermod.answers.draws import wins
from hiermod.answers.estimands.derivatives import changed_designs, variable_changes
from hiermod.answers.reader import LinearReader, block_slices, linear_spec, per_exposure
from hiermod.sampling.posterior import Posterior

COMPUTED = ("estimate", "lower", "upper", "prob_beats", "prob_exceeds")


def slopes(posterior: Posterior, arguments: Arguments) -> Answer:
    """The average derivative of the expected response with respect to a numeric column, in each `by` cell."""
    spec = linear_spec(posterior.spec, "slopes")
    query = read_slope(spec, arguments)
    check_results(query.cells, COMPUTED)
    grid, question = cell_grid(spec, query), query.question
    rows = Base(grid.frame, grid.weight, query.rows.averaged)
    changes = variable_changes(spec, rows, str(question.variable))
    model = LinearReader(posterior, spec, query.groups, outcome=query.outcome.name)
    average = Averaging(grid.weight, grid.cell, len(grid.keys), posterior.size)
    for part in block_slices(len(grid.frame), average.draws):
        frame = grid.frame.iloc[part]
        own = {column: values[part] for column, values in changes.items()}
        change = changed_designs(spec, frame, own, with_offset=not per_exposure(spec))
        average.add(part, model.slope(frame, change, question.scale.linear))
    columns = {"prob_beats": wins(average.total, 0.0, question.sign).mean(axis=1)}
    return make_answer(average.total, grid.keys, posterior.shape, question, "slope", columns=columns)
