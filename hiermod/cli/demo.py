"""``hiermod demo``: two worked examples on shipped data, from formula to answer and plots."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from hiermod.cli.output import DONE, section, wants_progress

if TYPE_CHECKING:
    from hiermod.choices import Pooling
    from hiermod.interface.fit import Fit

DRAWS = 4000  # of each chain: cheap here, and the third digit of a probability then stands still


def run(options: argparse.Namespace) -> int:
    """Run both jobs on the shipped data sets; every plot is drawn without a display."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    try:
        os.makedirs(options.out, exist_ok=True)
    except OSError as error:
        options.refuse(f"argument --out: {error}")
    drawn = [
        *_demo_country(options),
        *_demo_variants(options, "variants", "2. Four variants, 100 trials each"),
        *_demo_variants(options, "variants2", "3. The same, but variant A has 3 successes in 10 trials"),
    ]
    section(f"Plots are in {options.out}:")
    print(*drawn, sep="\n")
    return DONE


def _demo_country(options: argparse.Namespace) -> list[str]:
    from hiermod.show.sentences import effect_sentences

    title = "1. One treatment, two countries"
    fit = _demo_fit(options, title, "success ~ treated + (1 + treated | country)", "country")
    section("Success rates by country and treated (95 % intervals):")
    print(fit.rates(by=["country", "treated"]))
    answer = fit.effect("treated", by="country")
    section("Effect of treated by country (difference of rates):")
    print(answer)
    print("", *effect_sentences(answer), sep="\n")
    return [
        _drawn(options, "country-rates.png", fit.plot.rates(by=["country", "treated"])),
        _drawn(options, "country-effect.png", fit.plot.effect("treated", by="country")),
        _drawn(options, "country-trace.png", fit.plot.trace()),
    ]


def _demo_variants(options: argparse.Namespace, name: str, title: str) -> list[str]:
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
        print(table.reset_index().to_string(index=False, float_format="{:.4f}".format, na_rep=""))
    print("", *best_sentences(best, measure_of(fit.sampled_posterior.spec)), sep="\n")
    return [_drawn(options, f"{name}-shrinkage.png", fit.plot.shrinkage())]


def _demo_fit(options: argparse.Namespace, title: str, formula: str, name: str, pooling: Pooling = "normal") -> Fit:
    import hiermod as hm

    data = hm.example(name)
    print(f"\n{title}\n{'=' * len(title)}\nformula  {formula}", flush=True)
    progress = wants_progress(options)
    fit = hm.fit(formula, data, pooling=pooling, draws=DRAWS, seed=options.seed, progress=progress)
    if fit.sampled_posterior.interrupted:
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
