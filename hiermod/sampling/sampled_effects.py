"""Effects of very many groups that are sampled: why they are not integrated out, and what sampling them costs."""

from __future__ import annotations

from hiermod.data.cells.statistics import BinomialCells, RealCells
from hiermod.data.columns.groupings import MANY_GROUPS
from hiermod.engine.layout.problem import GAUSSIAN, Problem
from hiermod.marginal.patterns import grouping_of
from hiermod.marginal.quadrature import LINKS
from hiermod.memory import size_text
from hiermod.modeling.spec import Spec
from hiermod.sampling.memory import bytes_of_run
from hiermod.sampling.settings import Settings

MOST_DIMENSIONS, WIDEST = 12, 3
MOST_COEFFICIENTS = 1000  # that are sampled while the effects of one factor are integrated out
OF_SAMPLED = 1.2e-4  # measured seconds of a run for a row or effect
GRADIENTS = 12.0  # of a step: 3 to 7 where data say much of each effect, 31 and more where they do not
FEW_ROWS = 1.5  # of a group, below which a run takes many short steps, and is mostly repeated
THIN = 20.0  # so many times as long, measured of one row a group
FEW_NODES = "no quadrature integrates them out exactly enough, as far as the posterior reaches"
QUICKER = "that takes less time than to integrate them out"
FAR = "the posterior without them is too far from a normal distribution for independent draws"


def has_many_groups(spec: Spec) -> bool:
    """Whether some grouping factor has so many groups that its effects may be integrated out."""
    return max((grouping.groups for grouping in spec.cells.groupings.values()), default=0) >= MANY_GROUPS


def is_alone(spec: Spec) -> bool:
    """Whether groups of one factor are independent of each other given what hardly makes a handful of parameters."""
    width = sum(len(term.row_names) for term in spec.groups)
    beside = (spec.smooths, spec.monotonic, spec.shrunk)
    return len(spec.cells.groupings) == len(spec.predictors) == 1 and width <= WIDEST and not any(beside)


def has_few_parameters(problem: Problem) -> bool:
    """Whether few enough are left for independent draws, of a likelihood that is known without the effects."""
    few = problem.linear + len(problem.hyperparameters) <= MOST_DIMENSIONS
    return few and len(problem.factors) == 1 and not _why_by_kernel(problem)


def _why_by_kernel(problem: Problem) -> str:
    family = [each.name for each in problem.hyperparameters[problem.auxiliary :]]
    if problem.kernel not in LINKS and not (problem.kernel == GAUSSIAN and family == ["sigma"]):
        return f"they are integrated out of gaussian, logistic and Poisson models, not of {problem.spec.family} ones"
    if problem.by_rows or len(problem.segments) != 1:
        return "each row has a likelihood of its own kind"
    return ""


def why_beside(spec: Spec, problem: Problem) -> str:
    """Why the effects of the largest factor are not integrated out while all else is sampled; empty if nothing says."""
    largest, name = problem.factors[-1], _largest(spec)
    if largest.groups < MANY_GROUPS:
        return f"{name} has more effects than any other factor, and fewer than {MANY_GROUPS:,} groups"
    if largest.width > WIDEST:
        return f"a group of {name} has {largest.width} effects, and at most {WIDEST} are integrated out"
    if len(spec.predictors) > 1:
        return f"{' and '.join(spec.predictors)} have linear predictors of their own"
    if why := _why_by_kernel(problem):
        return why
    if largest.start > MOST_COEFFICIENTS:
        return f"{largest.start:,} coefficients and other effects are left, and {MOST_COEFFICIENTS:,} are the most"
    return ""


def _largest(spec: Spec) -> str:
    """The name of the grouping factor with most effects."""
    widths = dict.fromkeys(spec.cells.groupings, 0)
    for term in spec.groups:
        widths[term.grouping.name] += term.grouping.size * len(term.row_names)
    return max(widths, key=lambda name: widths[name])


def why_far(spec: Spec) -> str:
    """Why a model that could be drawn from independently is not."""
    one = f"each group of {_names(spec)} has one row, and data do not tell how much groups differ"
    return one if has_an_effect_per_row(spec) else FAR


def has_an_effect_per_row(spec: Spec) -> bool:
    """Whether groups have one row each, of a response that tells nothing of their spread: 0 or 1, or a real number."""
    (grouping, *others), response = spec.cells.groupings.values(), spec.cells.response
    rows = [name for term in spec.groups for name in term.row_names]
    if others or rows != ["Intercept"] or grouping.groups < spec.cells.source.rows:
        return False
    one_trial = isinstance(response, BinomialCells) and bool((response.trials == 1).all())
    return one_trial or isinstance(response, RealCells)


def seconds_of_sampling(problem: Problem) -> float:
    """What it takes to sample the effects of the last factor with all else."""
    factor = problem.factors[-1]
    times = grouping_of(factor).times
    return OF_SAMPLED * float(times[factor.codes].sum() + times.sum() * factor.width)


def reason(spec: Spec, why: str) -> str:
    """What is said of the engine, where there is something to say."""
    return f"the effects of {_counted(spec)} are sampled: {why}" if why else ""


def cost(spec: Spec, runs: list[tuple[Settings, int]], numbers: int, gradient: float) -> str:
    """What a run will take, in words, by the measured seconds of a gradient and what runs of others took of them.

    `runs` are its settings and warm-up, and those of the longest ones that follow if it does not converge.
    """
    thin = max(grouping.size for grouping in spec.cells.groupings.values()) * FEW_ROWS > spec.cells.source.rows
    step = (THIN if thin else 1.0) * GRADIENTS * gradient
    seconds = [step * settings.chains * (settings.draws + tune) for settings, tune in runs]
    memory = [size_text(bytes_of_run(numbers, *run, compiled=True)) for run in (runs[0], runs[-1])]
    return (
        f"sampling the effects of {_counted(spec)} takes about {_duration(seconds[0])} and {memory[0]} of memory, and "
        f"up to {_duration(sum(seconds))} and {memory[1]} if it has to be repeated"
    )


def _names(spec: Spec) -> str:
    return " and ".join(grouping.name for grouping in spec.cells.groupings.values())


def _counted(spec: Spec) -> str:
    return " and ".join(f"{own.groups:,} groups of {own.name}" for own in spec.cells.groupings.values())


def _duration(seconds: float) -> str:
    amount, unit = (seconds, "second") if seconds < 90 else (seconds / 60, "minute")
    amount, unit = (amount, unit) if seconds < 5400 else (seconds / 3600, "hour")
    rounded = max(1, int(float(f"{amount:.2g}")))
    return f"{rounded:,} {unit}{'s' * (rounded > 1)}"
