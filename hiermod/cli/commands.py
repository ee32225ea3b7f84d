"""``hiermod fit``, ``report``, ``explain``, ``warmup``, ``demo``: functions of options that return the exit code."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hiermod.cli.output import DONE, INTERRUPTED, NOT_CONVERGED, section, wants_progress, wrapped
from hiermod.errors import DataError, StorageError
from hiermod.tabular import text_table
from hiermod.terminal import width

if TYPE_CHECKING:
    from hiermod.answers.answer import Answer
    from hiermod.choices import Pooling
    from hiermod.interface.fit import Fit
    from hiermod.modeling.definition import Defined


def fit(options: argparse.Namespace) -> int:
    """A file and a formula in, summary, rates, effects and sentences out.

    Everything that can be wrong is found before sampling, and the model's libraries are loaded after that.
    """
    from hiermod.families.registry import read_family
    from hiermod.interface.notices import announce
    from hiermod.modeling.definition import Definition, define
    from hiermod.sampling.files import check_target

    _check_options(options)
    if options.save:
        try:
            check_target(options.save)
        except StorageError as error:
            options.refuse(f"argument --save: {error}")
    if options.family is not None:
        try:
            read_family(options.family)
        except DataError as error:
            options.refuse(f"argument --family: {error}")
    definition = Definition(options.formula, options.family, pooling=options.pooling)
    defined = define(definition, options.data)
    announce(defined.notices)
    _check_questions(options, defined)

    from hiermod.interface.fit import Model
    from hiermod.interface.stored import keep

    fitted = Model(defined).fit(draws=options.draws, seed=options.seed, progress=wants_progress(options))
    if options.save:
        keep(fitted, Path(options.save))
    _give(options, defined, fitted)
    if options.report:
        from hiermod.interface.report import report as write

        answers = [answer for answer in _answers(options, fitted) if answer is not None]
        write(fitted, options.report, answers=answers, prob=options.prob)
    return _code(options, fitted)


def _give(options: argparse.Namespace, defined: Defined, fitted: Fit) -> None:
    """Print the answers, and write them to a file, if one is named."""
    from hiermod.sampling.files import replacing

    if options.json or (options.out or "").endswith(".json"):
        from hiermod.cli.as_json import fit_as_json

        text = fit_as_json(fitted, *_answers(options, fitted), options.prob)
        if options.json:
            print(text)
    if not options.json:
        print(fitted.summary(options.prob))
        _print_answers(options, defined, fitted)
    if options.out and options.out.endswith(".txt"):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            print(fitted.summary(options.prob))
            _print_answers(options, defined, fitted)
        text = printed.getvalue()
    if options.out:
        with replacing(options.out) as file:
            file.write(f"{text.rstrip()}\n".encode())


def report(options: argparse.Namespace) -> int:
    """Write a page about stored fits."""
    from hiermod.api import load
    from hiermod.interface.report import report as write

    if options.by and options.effect is None:
        options.refuse("argument --by: it belongs to --effect, which is not given")
    for name in ("outcome", "parameter"):
        if getattr(options, name) is not None and options.effect is None:
            options.refuse(f"argument --{name}: it belongs to --effect, which is not given")
    if options.effect is not None and len(options.fits) > 1:
        options.refuse("argument --effect: it belongs to the page of one fit")
    fits = {path: load(path) for path in options.fits}
    answers = []
    if options.effect is not None:
        (fit,) = fits.values()
        answers = [fit.effect(options.effect, by=options.by, prob=options.prob, outcome=options.outcome,
                              parameter=options.parameter)]  # fmt: skip
    named = next(iter(fits.values())) if len(fits) == 1 else fits
    path = write(named, options.page, title=options.title, answers=answers, prob=options.prob)
    print(f"the page is written: {path}")
    return DONE


def _code(options: argparse.Namespace, *fits: Fit) -> int:
    """The exit code of what was sampled."""
    if any(fit._drawn.interrupted for fit in fits):
        return INTERRUPTED
    return NOT_CONVERGED if options.strict and not all(fit.check().converged for fit in fits) else DONE


def _check_options(options: argparse.Namespace) -> None:
    for name in ("control", "scale", "goal"):
        if getattr(options, name) is not None and options.effect is None:
            options.refuse(f"argument --{name}: it belongs to --effect, which is not given")
    for name in ("outcome", "parameter"):
        if getattr(options, name) is not None and options.effect is None and not options.by:
            options.refuse(f"argument --{name}: it belongs to --effect or --by, which are not given")


def _check_questions(options: argparse.Namespace, defined: Defined) -> None:
    """Refuse a question that the model cannot answer, rather than after it was sampled."""
    from hiermod.answers.answer import Question, measure_of
    from hiermod.answers.averaging.columns import arm_levels, check_columns
    from hiermod.answers.averaging.contrasts import control_place
    from hiermod.answers.averaging.transformed import relative_to_response
    from hiermod.answers.group_effects import read_groups
    from hiermod.answers.outcome import read_outcome
    from hiermod.answers.scales import CONTRASTS
    from hiermod.families.category_outcomes import needs_outcome

    spec = defined.spec
    check_columns(spec, options.by, "--by")
    outcome = read_outcome(spec, options.outcome, read_groups(spec, options.groups), options.parameter).functional
    if options.effect is None:
        return
    if spec.family.categories and options.outcome is options.parameter is None and options.scale != "link":
        options.refuse(f"argument --effect: {needs_outcome(spec.family, 'an effect')}")
    check_columns(spec, options.effect, "--effect")
    if options.effect in (options.by or ()):
        options.refuse(f"argument --by: {options.effect!r} is the variable of --effect")
    control_place(arm_levels(spec, options.effect), options.effect, options.control)
    if options.scale == "odds_ratio" and not outcome.share:
        options.refuse(f"argument --scale: the family {spec.family} has no odds; say difference")
    measure = measure_of(spec, outcome)
    relative_to_response(spec, Question("effect", CONTRASTS[options.scale or "difference"], measure))


def _answers(options: argparse.Namespace, fit: Fit) -> tuple[Answer | None, Answer | None]:
    """The rates and the effects that are asked for."""
    variable = [options.effect] if options.effect else None
    shared: dict[str, Any] = {"by": options.by, "groups": options.groups, "prob": options.prob,
                              "outcome": options.outcome, "parameter": options.parameter}  # fmt: skip
    rates = fit.rates(variable, **shared) if options.by else None
    if not options.effect:
        return rates, None
    effect = fit.effect(
        options.effect, control=options.control, scale=options.scale or "difference", goal=options.goal or "max",
        **shared,
    )  # fmt: skip
    return rates, effect


def _print_answers(options: argparse.Namespace, defined: Defined, fit: Fit) -> None:
    """Each answer, and beside it that the fit has not converged, if so."""
    from hiermod.answers.answer import measure_of
    from hiermod.show.sentences import effect_sentences

    trouble, measure = fit.check().trouble, measure_of(defined.spec).name
    warning = f"\n{trouble}" if trouble else ""
    rates, effect = _answers(options, fit)
    measure = next((answer.question.measure.name for answer in (effect, rates) if answer is not None), measure)
    if rates is not None:
        section(f"{_capital(measure)} by {' and '.join([*options.by, *([options.effect] if options.effect else [])])}:")
        print(f"{rates}{warning}")
    if effect is not None:
        section(f"Effect of {options.effect} on the {measure} ({effect.question.scale.name}):")
        print(effect)
        print("", *wrapped(effect_sentences(effect)), sep="\n", end=f"{warning}\n")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def explain(options: argparse.Namespace) -> int:
    """Print what a formula means, with data or without; nothing is sampled."""
    from hiermod.show import explanation

    if options.data is None:
        from hiermod.formula.parser import parse

        print(explanation.explain_formula(parse(options.formula)))
        return DONE
    from hiermod.interface.notices import announce
    from hiermod.modeling.definition import Definition, define

    defined = define(Definition(options.formula, options.family), options.data)
    announce(defined.notices)
    print(explanation.explain(defined.spec))
    return DONE


def warmup(_: argparse.Namespace) -> int:
    """Compile the engine ahead, as a container's build or an installer would want it, and say where it is kept."""
    from hiermod.engine.build.compile import library

    engine = library(lambda text: print(f"hiermod: {text}", file=sys.stderr, flush=True))
    where = "this process alone" if engine.folder is None else str(engine.folder)
    print(f"the engine is compiled: {where}")
    return DONE


DRAWS = 4000  # of each chain: cheap here, and the third digit of a probability then stands still


def demo(options: argparse.Namespace) -> int:
    """Run both jobs on the shipped data sets; every plot is drawn without a display."""
    from hiermod.interface.pictures import plot_scenarios
    from hiermod.sampling.files import make_folder

    os.environ.setdefault("MPLBACKEND", "Agg")
    try:
        make_folder(options.out, "Plots", parents=True)
    except StorageError as error:
        options.refuse(f"argument --out: {error}")
    country, drawn = _demo_country(options)
    equal = _demo_variants(options, "variants", "2. Four variants, 100 trials each")
    fewer = _demo_variants(options, "variants2", "3. The same, but variant A has 3 successes in 10 trials")
    drawn += [
        _drawn(options, "variants-shrinkage.png", equal.plot.shrinkage()),
        _drawn(options, "variants2-shrinkage.png", fewer.plot.shrinkage()),
        _drawn(options, "scenarios.png", plot_scenarios({"100 trials": equal, "10 trials of A": fewer})),
    ]
    section(f"Plots are in {options.out}:")
    print(*drawn, sep="\n")
    return _code(options, country, equal, fewer)


def _demo_country(options: argparse.Namespace) -> tuple[Fit, list[str]]:
    from hiermod.show.sentences import effect_sentences

    title = "1. One treatment, two countries"
    fit = _demo_fit(options, title, "success ~ treated + (1 + treated | country)", "country")
    section("Success rates by country and treated (95 % intervals):")
    print(fit.rates("treated", by="country"))
    answer = fit.effect("treated", by="country")
    section("Effect of treated by country (difference of rates):")
    print(answer)
    print("", *wrapped(effect_sentences(answer)), sep="\n")
    return fit, [
        _drawn(options, "country-rates.png", fit.plot.rates("treated", by="country")),
        _drawn(options, "country-effect.png", fit.plot.effect("treated", by="country")),
        _drawn(options, "country-trace.png", fit.plot.trace()),
    ]


def _demo_variants(options: argparse.Namespace, name: str, title: str) -> Fit:
    from hiermod.answers.answer import measure_of
    from hiermod.show.sentences import best_sentences

    fit = _demo_fit(options, title, "successes/trials ~ (1 | variant)", name, pooling="beta")
    best = fit.best("variant")
    tables = {
        "Raw and pooled rates (pull: 1 is all the way to the grand rate):": fit.shrinkage(),
        "P(row beats column):": fit.pairwise("variant"),
        "P(best), expected loss of choosing it, expected rank:": best,
    }
    for heading, table in tables.items():
        section(heading)
        print(text_table(table.reset_index(), table.index.names, "{:.4f}", missing="").text(width()))
    print("", *wrapped(best_sentences(best, measure_of(fit.sampled_posterior.spec))), sep="\n")
    return fit


def _demo_fit(options: argparse.Namespace, title: str, formula: str, name: str, pooling: Pooling = "normal") -> Fit:
    import hiermod as hm

    data = hm.example(name)
    print(f"\n{title}\n{'=' * len(title)}\nformula  {formula}", flush=True)
    progress = wants_progress(options)
    fit = hm.fit(formula, data, pooling=pooling, draws=DRAWS, seed=options.seed, progress=progress)
    if fit._drawn.interrupted:
        raise KeyboardInterrupt
    print(f"family   {fit.model.family}" + (f", pooling {pooling}" if pooling != "normal" else ""))
    cells = f", exactly compressed to {len(fit.cells):,} cells" if len(fit.cells) < len(data) else ""
    print(f"data     {len(data):,} rows{cells}")
    section("Checks of the sampler:")
    print(fit.check())
    return fit


def _drawn(options: argparse.Namespace, name: str, axes: Any) -> str:
    """Write the figure that holds one or many Axes; return its path."""
    path = os.path.join(options.out, name)
    first = axes if hasattr(axes, "figure") else next(iter(axes.flat))
    first.figure.savefig(path, dpi=120, bbox_inches="tight")
    return path
