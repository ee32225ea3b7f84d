"""`CheckReport`: one verdict after a fit, each check with its figure and the next step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hiermod.errors import visible
from hiermod.modeling.separation import Separation
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import MIN_EBFMI, MIN_ESS
from hiermod.sampling.posterior import Posterior
from hiermod.tabular import Tabular
from hiermod.terminal import lines_of, width

MAX_QUADRATURE_ERROR = 1e-4  # of a chance; that of 4,000 draws is a hundred times as large
MAX_DENSITY_ERROR = 1e-3  # of a log density, all groups together, as far as the posterior reaches


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, its figure, and what to do if it did not."""

    name: str
    passed: bool
    figure: str
    next_step: str
    of_sampler: bool = True


@dataclass(frozen=True, eq=False)
class CheckReport(Tabular):
    """All checks of a fit; its repr is the text, `table` a DataFrame, `passed` the verdict.

    Examples
    --------
    >>> report = fit.check()
    >>> [check.name for check in report.checks][:2], report.passed
    (['divergences', 'R-hat'], True)
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed.

        Examples
        --------
        >>> fit.check().passed
        True
        """
        return all(check.passed for check in self.checks)

    @property
    def converged(self) -> bool:
        """Whether every check of the sampler passed; others are of the model.

        Examples
        --------
        >>> fit.check().converged
        True
        """
        return not any(check.of_sampler for check in self.failed)

    @property
    def trouble(self) -> str:
        """What keeps the draws from being relied on, in one sentence; empty if nothing does.

        Examples
        --------
        >>> fit.check().trouble
        ''
        """
        if self.converged:
            return ""
        found = "; ".join(f"{check.name} {check.figure}" for check in self.failed if check.of_sampler)
        return f"Not converged, so that numbers may be others in another run: {found}."

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass.

        Examples
        --------
        >>> fit.check().failed
        ()
        """
        return tuple(check for check in self.checks if not check.passed)

    @property
    def table(self) -> pd.DataFrame:
        """Columns ``check, passed, figure, next_step``.

        Examples
        --------
        >>> list(fit.check().table.columns)
        ['check', 'passed', 'figure', 'next_step']
        """
        rows = [
            (check.name, check.passed, check.figure, "" if check.passed else check.next_step) for check in self.checks
        ]
        return pd.DataFrame(rows, columns=["check", "passed", "figure", "next_step"])

    def _repr_html_(self) -> str:
        shown = self.table.assign(passed=["ok" if one else "FAIL" for one in self.table["passed"]])
        verdict = "All checks passed." if self.passed else f"{len(self.failed)} of {len(self.checks)} checks failed."
        return visible(f"{shown.to_html(index=False, escape=True)}<p><strong>{verdict}</strong></p>")

    def __repr__(self) -> str:
        longest, room = max(len(check.name) for check in self.checks), width()
        margin, lines = " " * (longest + 8), []
        for check in self.checks:
            lines.append(f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<{longest}}  {check.figure}")
            if not check.passed:
                lines.append(f"{margin}-> {check.next_step}")
        lines = [lines_of(line, room, "   " if line.startswith(" ") else margin) for line in lines]
        verdict = "All checks passed." if self.passed else f"{len(self.failed)} of {len(self.checks)} checks failed."
        return visible("\n".join([*lines, verdict]))


def check(posterior: Posterior) -> CheckReport:
    """Check a posterior."""
    return CheckReport(tuple(_checks(posterior)))


def check_each(posteriors: Sequence[Posterior]) -> CheckReport:
    """Check fits each by itself, since convergence is a matter of the chains of one fit; the first failure is shown."""
    by_name: dict[str, list[tuple[int, Check]]] = {}
    for place, posterior in enumerate(posteriors, start=1):
        for one in _checks(posterior):
            by_name.setdefault(one.name, []).append((place, one))
    found = []
    for own in by_name.values():
        failed = [(place, one) for place, one in own if not one.passed]
        place, shown = (failed or own)[0]
        others = (
            f", and {len(failed) - 1} other fits" if len(failed) > 1 else "" if failed else ", and passed in others"
        )
        found.append(replace(shown, figure=f"fit {place}: {shown.figure}{others}"))
    return CheckReport(tuple(found))


def _checks(posterior: Posterior) -> Iterator[Check]:
    seen = posterior.diagnostics
    chains, draws = posterior.shape
    raise_target = f"raise target_accept above {posterior.settings.target_accept}, or use a tighter prior for the sds"
    more_draws = f"ask for more draws (there are {draws} in each of {chains} chains)"
    rhat = f"{_figure(seen.rhat, seen.rhat_of, 3)}, at most {seen.max_rhat}"
    bulk = f"{_figure(seen.ess_bulk, seen.ess_bulk_of, 0)}, at least {MIN_ESS:.0f}"
    tail = f"{_figure(seen.ess_tail, seen.ess_tail_of, 0)}, at least {MIN_ESS:.0f}"
    ebfmi = f"{_figure(seen.ebfmi, '', 2)}, at least {MIN_EBFMI}"
    error = posterior.quadrature_error
    separation = posterior.spec.separation if isinstance(posterior.spec, Spec) else None
    if error is None:
        yield Check("divergences", seen.divergences == 0, f"{seen.divergences} of {chains * draws} draws",
                    f"{raise_target}: near divergences the posterior was not explored")  # fmt: skip
        if (beside := posterior.integration_error) is not None:
            figure = f"log density off by {beside:.1g} over the draws, all groups together"
            figure = figure if beside else "in closed form"
            yield Check("integrated effects", beside <= MAX_DENSITY_ERROR, f"{figure}, at most {MAX_DENSITY_ERROR:g}",
                        "say engine='compiled', which samples the groups' effects")  # fmt: skip
    elif isinstance(posterior.spec, Spec):
        off = f"log density off by {error:.1g} over the posterior, all groups together" if error else "in closed form"
        yield Check("independent draws", error <= MAX_DENSITY_ERROR, f"{off}, at most {MAX_DENSITY_ERROR:g}",
                    "say engine='compiled', which samples the groups' effects")  # fmt: skip
    else:
        yield Check("independent draws", error <= MAX_QUADRATURE_ERROR,
                    f"quadrature error {error:.1g}, at most {MAX_QUADRATURE_ERROR:g}",
                    "use a smoother hyperprior: its density is rough")  # fmt: skip
        for figure in posterior.sizes_without_end():
            yield Check("complete pooling", True, f"not ruled out, {figure}", "")
    unknown = "run at least two chains of several hundred draws: it cannot be told from fewer"
    disagree = f"{more_draws}, or simplify the model: the chains disagree"
    if error is not None:
        disagree = f"{more_draws}: they are independent, and too few for it"
    disagree = unknown if np.isnan(seen.rhat) else disagree
    yield Check("R-hat", seen.rhat <= seen.max_rhat, rhat, disagree)
    yield Check("bulk ESS", seen.ess_bulk >= MIN_ESS, bulk, f"{more_draws}: means are noisy")
    yield Check("tail ESS", seen.ess_tail >= MIN_ESS, tail, f"{more_draws}: ends of intervals are noisy")
    if error is not None:
        return
    yield Check("E-BFMI", not seen.ebfmi < MIN_EBFMI, ebfmi,
                "use a tighter prior for the sds, or a longer warm-up (tune=)")  # fmt: skip
    yield Check("tree depth", seen.max_depth_hits == 0, f"{seen.max_depth_hits} draws at the greatest depth",
                "scale the predictors: the posterior is long in one direction")  # fmt: skip
    if "Intercept" in posterior.spec.priors and not posterior.spec.family.entries:
        yield _intercept_check(posterior)
    if separation is not None:
        yield _separation_check(separation)


def _separation_check(separation: Separation) -> Check:
    """Common terms that tell successes from failures, so that the prior alone bounds their coefficients."""
    bound = "hardly bound" if separation.kind == "near" else "do not bound"
    return Check(
        "separation", separation.kind == "none", separation.words,
        f"the data {bound} these coefficients, the prior does: see how much hangs on it, fit.sensitivity(), and state "
        "what is known of their size, priors={'slope': 'Normal(0, 1)'}; P(beats) says more than the estimate",
        of_sampler=False,
    )  # fmt: skip


def _figure(value: float, of: str, decimals: int) -> str:
    if np.isnan(value):
        return "not known"
    return f"{value:.{decimals}f} ({of})" if of else f"{value:.{decimals}f}"


def _intercept_check(posterior: Posterior) -> Check:
    """The intercept, at the point where its prior is stated, inside the central 95 % of that prior."""
    spec = posterior.spec
    common = spec.predictors["mu"].common
    stacked = [posterior.values(block.name).reshape(-1, len(block.columns)) for block in common.blocks]
    coefficients = np.hstack(stacked)
    place = common.slices()["Intercept"].start
    centred = float((coefficients[:, place] + coefficients @ common.shift[place]).mean())
    low, high = spec.priors["Intercept"][0].central_interval()
    figure = f"{centred:.3g}, prior's central 95 %: {low:.3g} to {high:.3g}"
    return Check(
        "intercept in its prior", bool(low <= centred <= high), figure,
        "give the intercept a prior where you expect it: priors={'Intercept': 'Normal(mean, sd)'}", of_sampler=False,
    )  # fmt: skip
