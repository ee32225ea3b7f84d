"""What a page says about a fit: the answers first, then how they were come by and whether to trust them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hiermod.answers.answer import Answer, measure_of
from hiermod.answers.averaging.columns import levels_of
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.checks.implied import compared
from hiermod.answers.deciding.sample_ratio import mismatch
from hiermod.answers.estimands.effects import best, effect, prob_beats_table
from hiermod.answers.estimands.rates import rates
from hiermod.answers.estimands.shrinkage import shrinkage
from hiermod.answers.estimands.slopes import slopes
from hiermod.data.columns.predictors import Basis, Numeric
from hiermod.errors import AnswerError, HiermodError, visible
from hiermod.modeling.definition import Defined
from hiermod.modeling.model_priors import prior_summary
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.checks import check
from hiermod.sampling.posterior import EachGroupError, Posterior
from hiermod.show.answer_plots import plot_answer
from hiermod.show.explanation import explain
from hiermod.show.forest import default_columns
from hiermod.show.heat_maps import plot_probabilities
from hiermod.show.parameter_plots import plot_trace
from hiermod.show.predictive_plots import plot_predictive
from hiermod.show.report.blocks import (
    Block,
    Chapter,
    Code,
    Formula,
    Listing,
    Paragraph,
    Section,
    table_of_answer,
    table_of_frame,
)
from hiermod.show.report.mathml import mathml
from hiermod.show.report.svg import picture
from hiermod.show.sentences import best_sentences, effect_sentences, slope_sentences
from hiermod.show.shrinkage import plot_shrinkage
from hiermod.show.summary import estimate_formats, summarize

MOST_QUESTIONS = 3  # of each kind
MOST_SENTENCES = 12
MOST_GROUPS = 60
MOST_SHRUNK = 400
LONGEST_LINE = 90  # of code, in characters
MEANING = 27  # where the meanings of terms start in lines of an explanation


@dataclass(frozen=True, eq=False)
class Subject:
    """A fit, as its page needs it.

    Parameters
    ----------
    posterior : Posterior
    defined : Defined
    notices : tuple of str
        What was inferred, and what happened in sampling.
    answers : tuple of Answer
        What the page answers; what a reader would ask first, if there are none.
    prob : float
        Of intervals.
    """

    posterior: Posterior
    defined: Defined
    notices: tuple[str, ...]
    answers: tuple[Answer, ...] = ()
    prob: float = 0.95


def chapter_of_fit(subject: Subject, title: str, mark: str) -> Chapter:
    """All that a page says about a fit; `mark` starts the ids of its pictures."""
    asked = list(_asked(subject))
    sections = [
        Section("The answer", tuple(_words(subject, asked))),
        *(Section(own.title, tuple(_shown(own, f"{mark}a{place}"))) for place, own in enumerate(asked)),
        *_groups(subject, mark),
        Section("Can the numbers be trusted?", tuple(_diagnostics(subject, mark))),
        Section("The model", tuple(_model(subject))),
        Section("Estimates of parameters", tuple(_parameters(subject)), folded=True),
        Section("Priors", (table_of_frame(prior_summary(subject.posterior.spec), PRIORS, index=False),), folded=True),
        Section("What was read, inferred and dropped", (Listing(tuple(map(visible, subject.notices))),)),
        Section("How to get these numbers again", tuple(_again(subject))),
    ]
    typed = visible(subject.defined.definition.formula)
    return Chapter(title, tuple(sections), "" if "".join(typed.split()) == "".join(title.split()) else typed)


PRIORS = "Each prior, where the numeric predictors stand for it, and the same per standard deviation of a column."


@dataclass(frozen=True, eq=False)
class Asked:
    """A question that was answered: its heading, sentences, answer, and further pictures."""

    title: str
    sentences: tuple[str, ...]
    answer: Answer
    more: tuple[tuple[Callable[[], Any], str], ...] = ()


def _asked(subject: Subject) -> Iterator[Asked]:
    if subject.answers:
        for answer in subject.answers:
            yield asked_of(answer)
        return
    posterior, spec = subject.posterior, subject.posterior.spec
    groups = [name for name in spec.formula.grouping_columns if name in spec.cells.frame and not spec.cells.by_patterns]
    by = next((name for name in groups if 1 < len(levels_of(spec, name)) <= MOST_GROUPS), None)
    arms = _arms(spec)
    for name in arms if spec.family.categories else ():
        yield from _tried(partial(_chances, posterior, name, subject.prob))
    for name in arms:
        within = _varies_by(spec, name, groups)
        cells = (len(levels_of(spec, name)) - 1) * (len(levels_of(spec, within)) if within is not None else 1)
        if within is None or cells > MOST_SENTENCES:
            yield from _tried(partial(_effect, posterior, name, None, subject.prob))
        if within is not None:
            yield from _tried(partial(_effect, posterior, name, within, subject.prob))
    for name in _numbers(spec, arms)[:MOST_QUESTIONS]:
        yield from _tried(partial(_curve, posterior, name, subject.prob))
    if not arms and by is not None:
        yield from _tried(partial(_rates, posterior, by, subject.prob))


def _arms(spec: ModelSpec) -> list[str]:
    """The first predictors of few levels, which are compared."""
    return [name for name in default_columns(spec)[0] if len(levels_of(spec, name)) > 1][:MOST_QUESTIONS]


def _varies_by(spec: ModelSpec, name: str, groups: Sequence[str]) -> str | None:
    """The groups, not too many, between which the effect of a variable differs."""
    for term in spec.formula.groups:
        varying = {variable for own in term.terms for variable in own.variables}
        behind = {source for variable in varying for source in (variable, *spec.formula.sources.get(variable, ()))}
        (factor, *others) = term.factors
        if name in behind and not others and factor in groups and 1 < len(levels_of(spec, factor)) <= MOST_GROUPS:
            return factor
    return None


def _tried(make: Callable[[], Asked]) -> Iterator[Asked]:
    """A question that a model cannot answer is left out, and one that needs groups which are left where they are."""
    try:
        yield make()
    except (HiermodError, EachGroupError):
        return


def _numbers(spec: ModelSpec, arms: Sequence[str]) -> list[str]:
    """Numeric columns behind predictors, smooths and splines among them, but for those that were compared as arms."""
    formula, predictors = spec.formula, spec.cells.predictors
    numeric = [
        name
        for variable in formula.variables
        if variable not in formula.offsets
        if isinstance(predictors.get(variable), Numeric | Basis) or variable in spec.cells.differing
        for name in formula.sources[variable]
    ]
    return [name for name in dict.fromkeys(numeric) if name not in arms]


def _left_out(spec: ModelSpec) -> list[str]:
    """Numbers beyond the first, which have no curve."""
    return _numbers(spec, _arms(spec))[MOST_QUESTIONS:]


def _outcome(spec: ModelSpec) -> str | None:
    """What of the response is compared: of ordered categories, which have no rate of their own, the mean score."""
    return "mean" if spec.family.kind == "ordered" else None


def _effect(posterior: Posterior, name: str, by: str | None, prob: float) -> Asked:
    answer = effect(posterior, Arguments(name, by=by, prob=prob, outcome=_outcome(posterior.spec)))
    own = asked_of(answer)
    if len(answer.table) <= MOST_SENTENCES or by is None:
        return own
    own = replace(own, sentences=())
    table, _ = prob_beats_table(posterior, Arguments(name, by=by, outcome=_outcome(posterior.spec)))
    title = f"P(beats {visible(str(answer.question.control))})"
    return replace(own, more=((partial(plot_probabilities, table, title, title, True), f"Heat map of {title}"),))


def _chances(posterior: Posterior, name: str, prob: float) -> Asked:
    """The chance of each category at each value of a variable; in words, without an order, those of levels."""
    own, family = asked_of(rates(posterior, Arguments(name, prob=prob))), posterior.spec.family
    if family.kind != "category" or name not in compared(posterior.spec):
        return own
    each = [effect(posterior, Arguments(name, prob=prob, outcome=level)) for level in family.categories]
    return replace(own, sentences=tuple(sentence for answer in each for sentence in effect_sentences(answer)))


def _curve(posterior: Posterior, name: str, prob: float) -> Asked:
    outcome = _outcome(posterior.spec)
    if posterior.spec.family.kind == "category":
        return _chances(posterior, name, prob)
    answer = rates(posterior, Arguments(name, prob=prob, outcome=outcome))
    bends = any(isinstance(posterior.spec.cells.predictors.get(own), Basis) for own in _made_of(posterior.spec, name))
    if bends:
        return replace(asked_of(answer), sentences=(_curve_sentence(answer, name),))
    slope = slopes(posterior, Arguments(name, scale="response", prob=prob, outcome=outcome))
    return replace(asked_of(answer), sentences=tuple(slope_sentences(slope)))


def _made_of(spec: ModelSpec, column: str) -> list[str]:
    """The variables that are made of a column."""
    return [variable for variable, columns in spec.formula.sources.items() if column in columns]


def _curve_sentence(answer: Answer, name: str) -> str:
    """Where a curve is lowest and highest: of one that bends, an average slope would say little."""
    measure, places = answer.question.measure, answer.table.sort_values("estimate")[[name, "estimate"]]
    low, high = (f"{measure.text(value)} at {name} {place:g}" for place, value in places.to_numpy(float)[[0, -1]])
    return visible(f"The {measure.name} follows a curve in {name}: lowest {low}, highest {high}.")


def _rates(posterior: Posterior, group: str, prob: float) -> Asked:
    answer = rates(posterior, Arguments(group, prob=prob, outcome=_outcome(posterior.spec)))
    table, _ = best(posterior, Arguments(group, outcome=_outcome(posterior.spec)))
    sentences = best_sentences(table, measure_of(posterior.spec))
    title = "P(best)"
    shown = table["prob_best"].to_frame().T.set_axis([title])
    heat = partial(plot_probabilities, shown, title, title, False)
    return replace(asked_of(answer), sentences=tuple(sentences), more=((heat, title),) if len(table) <= 20 else ())


def asked_of(answer: Answer) -> Asked:
    """An answer with its heading and, of effects and slopes, its sentences."""
    question = answer.question
    by = f" by {', '.join(question.by)}" if question.by else ""
    match question.kind:
        case "effect":
            versus = f" (compared with {question.control})" if question.control is not None else ""
            title = f"Effect of {question.variable} on the {question.measure.name}{by}{versus}"
            return Asked(visible(title), tuple(effect_sentences(answer)), answer)
        case "slopes":
            title = f"Slope of the {question.measure.name} in {question.variable}{by}"
            return Asked(visible(title), tuple(slope_sentences(answer)), answer)
        case "interaction":
            return Asked(visible(f"Effect of {question.variable} across {question.across}{by}"), (), answer)
        case "hypothesis":
            return Asked("Hypotheses", (), answer)
        case "predict":
            return Asked(visible(f"Predicted {question.measure.name}"), (), answer)
    return Asked(visible(f"{question.measure.name[:1].upper()}{question.measure.name[1:]}{by}"), (), answer)


def _words(subject: Subject, asked: Sequence[Asked]) -> Iterator[Block]:
    sentences = [sentence for own in asked for sentence in own.sentences]
    if sentences:
        yield Listing(tuple(sentences[:MOST_SENTENCES]), "answer")
        if len(sentences) > MOST_SENTENCES:
            yield Paragraph(f"{len(sentences) - MOST_SENTENCES:,} more rows stand in the tables below.")
    else:
        yield Paragraph("The tables and pictures below have the answer.", "answer")
    curves = [own for own in asked if own.answer.question.kind == "rates"]
    if not subject.answers and curves and (left := _left_out(subject.posterior.spec)):
        yield Paragraph(visible(f"Without a curve here, for want of room: {', '.join(left)}."))
    report = check(subject.posterior)
    if report.trouble:
        yield Paragraph(visible(report.trouble), "warning")
    variables = dict.fromkeys(own.answer.question.variable for own in asked if own.answer.question.kind == "effect")
    for name in filter(None, variables):
        try:
            if warning := mismatch(subject.posterior, name, None):
                yield Paragraph(visible(warning), "warning")
        except HiermodError:
            continue


def _shown(own: Asked, mark: str) -> Iterator[Block]:
    """The picture and the table of an answer."""
    yield from _pictures([(partial(plot_answer, own.answer), own.title), *own.more], mark)
    yield from remarks(own.answer)
    prob = f"{100 * own.answer.question.prob:.4g} %"
    point = "medians" if own.answer.question.median else "means"
    yield table_of_answer(own.answer, f"{own.title}: posterior {point} and {prob} intervals.")


def remarks(answer: Answer) -> Iterator[Block]:
    """What readers of an answer should know."""
    for text in filter(None, (answer.question.remark, *(f"{notice}." for notice in answer.notices))):
        yield Paragraph(visible(text))


def _pictures(drawn: Sequence[tuple[Callable[[], Any], str]], mark: str) -> Iterator[Block]:
    """Pictures that can be drawn; of others, why not."""
    for place, (draw, description) in enumerate(drawn):
        try:
            yield picture(draw, description, f"{mark}p{place}")
        except AnswerError as error:
            yield Paragraph(f"No picture of this: {visible(str(error))}")


def _groups(subject: Subject, mark: str) -> Iterator[Section]:
    posterior = subject.posterior
    for place, name in enumerate(() if posterior.spec.cells.by_patterns else posterior.spec.cells.groupings):
        size = int(posterior.spec.cells.groupings[name].size)
        try:
            table = shrinkage(posterior, name, subject.prob)
        except HiermodError:
            continue
        table = table.sort_values("estimate", ascending=False, kind="stable")
        blocks: list[Block] = []
        if size <= MOST_SHRUNK:
            draw = partial(plot_shrinkage, posterior, table, prob=subject.prob)
            blocks += _pictures([(draw, f"Raw and pooled values by {name}")], f"{mark}g{place}")
        left = "" if size <= MOST_SHRUNK else f" Of {size:,} groups, the {MOST_SHRUNK} highest estimates are shown."
        caption = f"Raw and pooled values by {name}; pull 1 is all the way to what the model expects of a group.{left}"
        blocks.append(table_of_frame(table.head(MOST_SHRUNK), visible(caption), aligned=True))
        yield Section(visible(f"How far groups are pulled: {name}"), tuple(blocks))


def _diagnostics(subject: Subject, mark: str) -> Iterator[Block]:
    report = check(subject.posterior)
    if report.passed:
        yield Paragraph("Yes: all checks passed.", "good")
    else:
        count = f"{len(report.failed)} of {len(report.checks)} checks failed"
        yield Paragraph(f"With care: {count}. The table says what to do.", "warning")
    shown = report.table.drop(columns="next_step") if report.passed else report.table
    yield table_of_frame(shown, "Checks of the sampler and of the model.", index=False)
    drawn: list[tuple[Callable[[], Any], str]] = [
        (partial(plot_predictive, subject.posterior, "posterior", None, None, None, None, None),
         "Posterior predictive check: the data beside data that the model draws"),
        (partial(plot_trace, subject.posterior), "Densities and traces of each chain"),
    ]  # fmt: skip
    if subject.posterior.spec.cells.by_patterns:
        yield Paragraph("Data are not drawn here, which takes every group: these are left where the data is.")
        drawn = drawn[1:]
    yield from _pictures(drawn, f"{mark}d")


def _model(subject: Subject) -> Iterator[Block]:
    explanation = explain(subject.posterior.spec)
    yield Code("\n".join(map(_tabbed, visible(explanation.words).split("\n"))))
    yield Formula(mathml(explanation.latex))


def _tabbed(line: str) -> str:
    """A line whose meaning stands in a column of its own, which a narrow page does without."""
    name, meaning = line[:MEANING], line[MEANING:]
    return f"{name.rstrip()}:\t{meaning}" if name.startswith("  ") and name.endswith("  ") and meaning.strip() else line


def _parameters(subject: Subject) -> Iterator[Block]:
    summary = summarize(subject.posterior, check(subject.posterior), subject.prob)
    for table, caption in ((summary.fixed, "Common coefficients, on the link scale."),
                           (summary.random, "Varying effects and parameters of the family.")):  # fmt: skip
        if len(table):
            yield table_of_frame(table, caption, formats=estimate_formats(table))


def _again(subject: Subject) -> Iterator[Block]:
    yield Code(code_of(subject), "Python")
    settings, history = subject.posterior.settings, subject.posterior.history
    chains, draws = subject.posterior.shape
    known = subject.posterior.provenance.seed is not None
    facts = [*([f"seed {settings.seed}"] if known else []), f"{chains} chains of {draws:,} draws"]
    if history is not None and settings.tune is not None:
        facts += [f"tune {settings.tune}", f"target_accept {settings.target_accept}"]
    made = subject.posterior.provenance
    versions = ", ".join(f"{name} {number}" for name, number in made.versions.items())
    lines = (", ".join(facts), versions, made.platform, f"fingerprint of the data {made.fingerprint}")
    yield Listing(tuple(visible(line) for line in lines if line))


def code_of(subject: Subject) -> str:
    """The call that fits the same model again."""
    definition, settings = subject.defined.definition, subject.posterior.settings
    data = subject.defined.data
    path = repr(str(data)) if isinstance(data, str) or hasattr(data, "__fspath__") else "data"
    parts = [repr(definition.formula), path]
    parts.append(repr(str(subject.posterior.spec.family if definition.family is None else definition.family)))
    if definition.priors:
        parts.append(f"priors={ {key: str(prior) for key, prior in definition.priors.items()}!r}")
    usual = {"pooling": "normal", "na": "drop", "compress": True, "intercept_at": "mean"}
    parts += [
        f"{name}={getattr(definition, name)!r}" for name, value in usual.items() if getattr(definition, name) != value
    ]
    chains, draws = subject.posterior.shape
    parts += [f"draws={draws}", f"chains={chains}"]
    parts += [f"seed={settings.seed}"] if subject.posterior.provenance.seed is not None else []
    lead = "" if path != "data" else "data = ...  # the rows that were fitted\n"
    between = ", " if len(", ".join(parts)) <= LONGEST_LINE else ",\n    "
    return visible(f"import hiermod as hm\n\n{lead}fit = hm.fit(\n    {between.join(parts)},\n)")
