"""Sentences: what a row of an answer says, in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from hiermod.answers.answer import Answer, Measure, Question, effective_sizes
from hiermod.answers.draws import check_goal
from hiermod.answers.estimands.effects import INDEPENDENT
from hiermod.errors import visible

COUNTS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
ON_OFF = {"1 vs 0", "1.0 vs 0.0", "True vs False"}
TREATMENT = {"treat", "treated", "treatment"}
WHOSE = {
    "observed": "",
    "typical": " in a typical group",
    "new": " in a new group",
    "population": " over the population of groups",
}
NEGLIGIBLE, LARGEST = 0.0005, 0.999


def effect_sentences(answer: Answer) -> list[str]:
    """A sentence for each row of `Fit.effect`'s table."""
    rows = answer.table.to_dict("records")
    sizes = effective_sizes(answer) if answer.draws.sizes["row"] == len(rows) else [math.inf] * len(rows)
    return [visible(_effect_sentence(row, answer.question, float(size))) for row, size in zip(rows, sizes, strict=True)]


def slope_sentences(answer: Answer) -> list[str]:
    """A sentence for each row of `Fit.slopes`' table."""
    rows = answer.table.to_dict("records")
    sizes = effective_sizes(answer) if answer.draws.sizes["row"] == len(rows) else [math.inf] * len(rows)
    return [visible(_slope_sentence(row, answer.question, float(size))) for row, size in zip(rows, sizes, strict=True)]


def _slope_sentence(row: Mapping[Any, Any], question: Question, size: float) -> str:
    beats = float(row["prob_beats"])
    where = _where({name: row[name] for name in question.by}) + WHOSE.get(question.groups, f" ({question.groups})")
    if math.isnan(float(row["estimate"])):
        return f"The data say nothing about the slope in {question.variable},{where or ' here'}."
    rises = float(row["estimate"]) >= 0
    probability = beats if rises == (question.sign > 0) else 1.0 - beats
    percent = question.measure.percent and not question.scale.linear
    numbers = [float(row[name]) * (100.0 if percent else 1.0) for name in ("estimate", "lower", "upper")]
    unit = " percentage points" if percent else " on the link scale" if question.scale.linear else ""
    estimate, lower, upper = (f"{number:.3g}" for number in (abs(numbers[0]), *numbers[1:]))
    return (
        f"There is {chance(probability, size)} that the {question.measure.name} {'rises' if rises else 'falls'} with "
        f"{question.variable}{where}: by {estimate}{unit} per unit on average ({100 * question.prob:.4g} % interval of "
        f"the change {lower} to {upper})."
    )


def best_sentences(table: pd.DataFrame, measure: Measure, goal: str = "max") -> list[str]:
    """A sentence on the likeliest best level of `Fit.best`'s table; one for each `by` cell.

    Parameters
    ----------
    table : pandas.DataFrame
        From `Fit.best`.
    measure : Measure
        What its levels are compared by.
    goal : {"max", "min"}
        The goal that the table was asked with.
    """
    sign, size = check_goal(goal), float(table.attrs.get(INDEPENDENT, math.inf))
    by = [str(name) for name in table.index.names[:-1]]
    if not by:
        return [visible(_best_sentence(table, "", measure, sign, size))]
    sentences = []
    for key, cell in table.groupby(level=list(range(len(by))), sort=False, observed=True):
        where = _where(dict(zip(by, key, strict=True)))
        sentences.append(_best_sentence(cell.droplevel(list(range(len(by)))), where, measure, sign, size))
    return [*map(visible, sentences)]


def chance(probability: float, size: float = math.inf) -> str:
    """``a 71 % chance``, ``an 87 % chance``, ``more than a 99.9 % chance``; never 0 or 100 %.

    So many independent draws as `size` cannot show a chance above ``1 - 1/size``.
    """
    shown = 1.0 - 1.0 / max(size, 2.0)
    if probability >= min(1.0 - NEGLIGIBLE, shown):
        percent = bound_text(shown)
        return f"more than {_article(percent)} {percent} % chance"
    if probability < max(NEGLIGIBLE, 1.0 - shown):
        percent = _trimmed(f"{100.0 - float(bound_text(shown)):.1f}")
        return f"less than {_article(percent)} {percent} % chance"
    decimals = 0 if 0.01 <= probability <= 0.99 else 1
    percent = _trimmed(f"{100 * probability:.{decimals}f}")
    return f"{_article(percent)} {percent} % chance"


def bound_text(shown: float) -> str:
    """The largest percentage that draws can show, rounded down: ``99.9`` at most, ``99.7``, ``96``."""
    percent = 100.0 * min(shown, LARGEST)
    decimals = 1 if percent >= 99.0 else 0
    return _trimmed(f"{math.floor(percent * 10**decimals + 1e-9) / 10**decimals:.{decimals}f}")


def _effect_sentence(row: Mapping[Any, Any], question: Question, size: float) -> str:
    """`prob_beats` is of the better arm: where lower is better, it is the chance of a lower outcome."""
    beats = float(row["prob_beats"])
    if math.isnan(beats):
        where = _where({name: row[name] for name in question.by})
        return f"The data say nothing about the effect of {question.variable}, {row['contrast']},{where or ' here'}."
    rises = (beats if question.sign > 0 else 1 - beats) >= 0.5
    whose = WHOSE.get(question.groups, f" (groups: {question.groups})")
    where = _where({name: row[name] for name in question.by}) + whose
    claim = _claim(str(row["contrast"]), question, rises, where)
    return f"There is {chance(max(beats, 1 - beats), size)} that {claim}{_size(row, question, rises)}."


def _claim(contrast: str, question: Question, rises: bool, where: str) -> str:
    variable, outcome = str(question.variable), question.measure.name
    if contrast in ON_OFF and question.arms == 2:
        subject = "the treatment" if variable.lower() in TREATMENT else variable
        return f"{subject} {'raises' if rises else 'lowers'} the {outcome}{where}"
    comparison = "higher" if rises else "lower"
    if question.contrast == "weights":
        null = "one" if question.scale.null == 1.0 else "zero"
        return f"the contrast {contrast} of {variable} is {'above' if rises else 'below'} {null}{where}"
    level, _, other = contrast.partition(" vs ")
    if question.control is not None:
        level, other = contrast.removesuffix(f" vs {question.control}"), question.control
    than = f"the mean of all {_plural(variable)}" if question.contrast == "mean" else f"{variable} {other}"
    return f"{variable} {level} has a {comparison} {outcome} than {than}{where}"


def _size(row: Mapping[Any, Any], question: Question, rises: bool) -> str:
    """How large, with its interval: ``, by 16 points (3 to 29)``, always in the direction that is claimed."""
    values = [float(row[name]) for name in ("estimate", "lower", "upper")]
    percent = _trimmed(f"{100 * question.prob:.4f}")
    note = "" if percent == "95" else f"{percent} % interval: "
    scale = question.scale
    if scale.size:
        least = 2 if scale.factor == 1.0 else 0
        middle, low, high = _together([scale.factor * value for value in values], least)
        return f", {scale.size.format(middle)} ({note}{low} to {high})"
    in_points = question.measure.percent and not scale.linear
    estimate, lower, upper = [100 * value for value in values] if in_points else values
    against = (estimate > 0) != rises and estimate != 0
    if not rises and not against:
        estimate, lower, upper = -estimate, -upper, -lower
    middle, low, high = _together([estimate, lower, upper])
    unit = _points(middle) if in_points else " on the link scale" if scale.linear else ""
    lead = "; the expected change is" if against else ", by"
    return f"{lead} {middle}{unit} ({note}{low} to {high})"


def _best_sentence(table: pd.DataFrame, where: str, measure: Measure, sign: int, size: float) -> str:
    if table["prob_best"].isna().any():
        return f"The data do not tell which {table.index.name} is the best{where}: one of them is not estimable."
    variable, place = str(table.index.name), int(table["prob_best"].argmax())
    better, lower = ("better", "lower") if len(table) == 2 else ("best", "lowest")
    praise = better if sign > 0 else f"{better} ({lower})"
    likely = chance(float(table["prob_best"].iloc[place]), size)
    return (
        f"There is {likely} that {_level(variable, table.index[place])} is the {praise} of the "
        f"{_count(len(table))} {_plural(variable)}{where}{_cost(table, place, measure)}."
    )


def _cost(table: pd.DataFrame, place: int, measure: Measure) -> str:
    """What choosing a level is expected to lose, and which one loses least; nothing where no loss is expected."""
    losses = [float(loss) for loss in table["expected_loss"]]
    if math.isnan(losses[place]):
        return ""
    safest = losses.index(min(losses))
    least = ""
    if losses[safest] < losses[place]:
        least = f" (least with {_level(str(table.index.name), table.index[safest])}: {_loss(losses[safest], measure)})"
    return f"; choosing it is expected to lose {_loss(losses[place], measure)}{least}"


def _where(cell: Mapping[str, Any]) -> str:
    """``in Canada`` for one level that is a name, else ``for year 2024 and country Canada``."""
    if not cell:
        return ""
    levels = list(cell.values())
    if len(levels) == 1 and isinstance(levels[0], str) and not levels[0][:1].isdigit():
        return f" in {levels[0]}"
    return " for " + " and ".join(f"{name} {level}" for name, level in cell.items())


def _level(variable: str, level: Any) -> str:
    return level if isinstance(level, str) and not level[:1].isdigit() else f"{variable} {level}"


def _loss(loss: float, measure: Measure) -> str:
    if not measure.percent:
        return _number(loss, _decimals(loss)) if loss > 0 else "nothing"
    points = 100 * loss
    if points < 0.05:
        return "less than 0.1 points"
    text = _number(points, 0 if points >= 10 else 1)
    return f"{text}{_points(text)}"


def _points(text: str) -> str:
    return " point" if text in ("1", "-1") else " points"


def _together(values: Sequence[float], least: int = 0) -> list[str]:
    """An estimate and its interval, with the decimals that the interval's width can bear."""
    _, low, high = values
    decimals = max(least, _decimals(high - low))
    return [_visible(value, decimals) for value in values]


def _visible(value: float, decimals: int) -> str:
    """A number that is not zero does not print as zero, which would hide its sign."""
    if value and math.isfinite(value) and round(value, decimals) == 0:
        decimals = min(_decimals(value) - 1, decimals + 3)
    return _number(value, decimals)


def _decimals(size: float) -> int:
    """Decimals that show two digits of a number of this size."""
    if not math.isfinite(size) or size == 0:
        return 0
    return min(12, max(0, 1 - math.floor(math.log10(abs(size)))))


def _number(value: float, decimals: int) -> str:
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _article(number: str) -> str:
    """``an`` before eight, eleven, eighteen and eighty-something."""
    return "an" if number.startswith("8") or number.split(".")[0] in ("11", "18") else "a"


def _count(number: int) -> str:
    return COUNTS[number] if number < len(COUNTS) else f"{number:,}"


def _plural(noun: str) -> str:
    if not noun.isalpha():
        return f"levels of {noun}"
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
