"""`slopes`: how much the expected response changes with a numeric predictor, averaged over rows within each draw."""

from __future__ import annotations

from hiermod.answers.answer import Answer, Question, check_prob, check_threshold, interval, measure_of, with_coords
from hiermod.answers.averaging.columns import check_column, check_results
from hiermod.answers.averaging.grid import Averaging, cell_grid
from hiermod.answers.averaging.query import Arguments, read_scope
from hiermod.answers.averaging.rows import Base, base_rows
from hiermod.answers.draws import check_goal, wins
from hiermod.answers.estimands.derivatives import changed_designs, check_numeric, refuse_steps, variable_changes
from hiermod.answers.outcome import read_outcome
from hiermod.answers.reader import LinearReader, block_slices, per_exposure
from hiermod.choices import SLOPE_SCALES
from hiermod.errors import AnswerError, did_you_mean
from hiermod.formula.parser import canonical
from hiermod.modeling.spec import Spec
from hiermod.sampling.posterior import Posterior

COMPUTED = ("estimate", "lower", "upper", "prob_beats", "prob_exceeds")


def slopes(posterior: Posterior, arguments: Arguments) -> Answer:
    """The average derivative of the expected response with respect to a numeric column, in each `by` cell."""
    spec, variable, scale = posterior.spec, arguments.variable, arguments.scale
    if reason := spec.refuses("slopes"):
        raise AnswerError(reason)
    assert isinstance(spec, Spec)
    if scale not in SLOPE_SCALES:
        raise AnswerError(f"scale={scale!r}.{did_you_mean(str(scale), SLOPE_SCALES)}")
    sign, limit = check_goal(arguments.goal), check_threshold(arguments.threshold)
    prob, data = check_prob(arguments.prob), arguments.data
    if isinstance(variable, str):
        refuse_steps(spec, canonical(variable))
    name, asked = check_column(spec, variable, "variable", data, free=True), read_scope(spec, arguments)
    check_numeric(spec, name)
    check_results(asked.by, COMPUTED)
    needed = (*asked.by, *(() if name in asked.set_columns else (name,)))
    base = base_rows(spec, data, arguments.weights, needed, arguments.groups, asked.set_columns)
    grid = cell_grid(spec, base, asked, asked.settings)
    rows = Base(grid.frame, grid.weight, base.groups, base.averaged)
    changes = variable_changes(spec, rows, name)
    outcome = read_outcome(spec, arguments.outcome, arguments.groups)
    model = LinearReader(posterior, spec, base.groups, outcome=outcome.name)
    average = Averaging(grid.weight, grid.cell, len(grid.keys), posterior.size)
    for part in block_slices(len(grid.frame), average.draws):
        frame = grid.frame.iloc[part]
        own = {column: values[part] for column, values in changes.items()}
        change = changed_designs(spec, frame, own, with_offset=not per_exposure(spec))
        average.add(part, model.slope(frame, change, scale))
    draws = average.total
    median = scale != "link" and not outcome.has_mean
    table = grid.keys.assign(**interval(draws, prob, median), prob_beats=wins(draws, 0.0, sign).mean(axis=1))
    if limit is not None:
        table = table.assign(prob_exceeds=wins(draws, limit, sign).mean(axis=1))
    question = Question(
        "slopes", asked.by, arguments.groups, prob, name, scale=scale, measure=measure_of(spec, outcome.name),
        remark=outcome.remark,
    )  # fmt: skip
    return Answer(with_coords(draws, grid.keys, posterior.shape, "slope"), table, question)
