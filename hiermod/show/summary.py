"""`Summary`: what lme4 and brms print of a fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import check_prob
from hiermod.answers.group_effects import correlation_matrices, standard_deviations
from hiermod.answers.parameters.estimates import described, existing, fixef_draws, medians_remark, smooth_sds
from hiermod.errors import visible
from hiermod.modeling.design import GroupDesign
from hiermod.modeling.pooled import PooledSpec
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.smooths import curves
from hiermod.sampling.checks import CheckReport
from hiermod.sampling.diagnostics import figures
from hiermod.sampling.posterior import Posterior
from hiermod.show.paper import PARTS, PaperTable
from hiermod.terminal import lines_of, width
from hiermod.text_table import Column, TextTable

COLUMNS = ["estimate", "sd", "lower", "upper", "rhat", "ess_bulk", "ess_tail"]
HANGING = " " * 9  # what goes on in another line stands under what the heading says
SMALLEST, LARGEST = 0.0005, 1e9  # of numbers that are written out


@dataclass(frozen=True, eq=False)
class Summary:
    """A fit in tables; its repr is the text.

    Parameters
    ----------
    fixed : pandas.DataFrame
        Common coefficients on the link scale, ``estimate`` first.
    random : pandas.DataFrame
        Standard deviations and correlations of varying effects, the residual's and the family's other parameters, by
        group and term.
    parts : tuple of str and TextTable
        What is printed.
    heading : str
        Formula and family.
    prob : float
        Of the intervals.
    """

    fixed: pd.DataFrame
    random: pd.DataFrame
    parts: tuple[str | TextTable, ...]
    heading: str
    prob: float

    def __repr__(self) -> str:
        return self._text(width())

    @property
    def text(self) -> str:
        """What is printed, in lines as long as they are.

        Examples
        --------
        >>> fit.summary().text.splitlines()[0]
        ' Family: bernoulli (link logit)'
        """
        return self._text(None)

    def _text(self, room: int | None) -> str:
        shown = [
            part.text(room) if isinstance(part, TextTable) else lines_of(part, room, "  " if place else HANGING)
            for place, part in enumerate(self.parts)
        ]
        return "\n".join(shown)

    def _repr_html_(self) -> str:
        head, *_ = self.text.partition("\n\n")
        failed = self.text.partition("Checks that failed:")[1:]
        checks = f"<pre>{escape(''.join(failed))}</pre>" if failed[1] else ""
        return f"<pre>{escape(head)}</pre>{replace(self._paper(), caption='').to_html()}{checks}"

    @property
    def columns(self) -> list[str]:
        """The figures of each parameter.

        Examples
        --------
        >>> fit.summary().columns[:2]
        ['estimate', 'sd']
        """
        return list(COLUMNS)

    def to_markdown(self) -> str:
        """Both tables in one, as Markdown.

        Examples
        --------
        >>> print(fit.summary().to_markdown().splitlines()[2])
        | **Common effects** |  |  |  |  |  |  |  |
        """
        return self._paper().to_markdown()

    def to_latex(self) -> str:
        r"""Both tables in one, as a LaTeX tabular with booktabs' rules.

        Examples
        --------
        >>> print(fit.summary().to_latex().splitlines()[-1])
        \end{tabular}
        """
        return self._paper().to_latex()

    def to_html(self) -> str:
        """Both tables in one, as HTML, all text escaped.

        Examples
        --------
        >>> fit.summary().to_html().endswith("</table>")
        True
        """
        return self._paper().to_html()

    def gt(self) -> Any:
        """Both tables in one, as a `great_tables.GT`; needs the package great_tables.

        Raises
        ------
        AnswerError
            If great_tables is not installed.

        Examples
        --------
        >>> fit.summary().gt()  # doctest: +SKIP
        """
        return self._paper().gt()

    def _paper(self) -> PaperTable:
        return _paper(self)


def summarize(posterior: Posterior, report: CheckReport, prob: float) -> Summary:
    """Summarize a posterior; failed checks are printed with their next steps."""
    check_prob(prob)
    fixed = _table(posterior, fixef_draws(posterior, wiggles=False), prob)
    fixed.index.name = "term"
    random = _random(posterior, prob)
    blocks: list[list[str | TextTable]] = [
        [_head(posterior)],
        _random_text(posterior, random, prob),
        _fixed_text(posterior, fixed, prob),
    ]
    if not report.passed:
        failed = [f"  {check.name}: {check.figure}\n    -> {check.next_step}" for check in report.failed]
        blocks.append(["\n".join(["Checks that failed:", *failed])])
    parts: list[str | TextTable] = []
    for block in filter(None, blocks):
        parts += ["", *block] if parts else block
    shown = [visible(part) if isinstance(part, str) else part for part in parts]
    heading = visible(f"{posterior.spec.formula}, family {posterior.spec.family}")
    return Summary(fixed, random, tuple(shown), heading, prob)


def _table(
    posterior: Posterior, draws: dict[str, np.ndarray], prob: float, names: list[str] | None = None
) -> pd.DataFrame:  # fmt: skip
    """Estimates with their convergence; `names` are those of other tables."""
    if not draws:
        return pd.DataFrame(columns=COLUMNS, dtype=float)
    convergence = _convergence(np.stack(list(draws.values())), posterior)
    return described(draws, prob, existing(posterior.spec, names or draws)).assign(**convergence)


def _convergence(values: np.ndarray, posterior: Posterior) -> dict[str, list[float]]:
    """Of a mixture the largest R-hat of a part, whose chains alone have to agree, and the sum of effective sizes."""
    chains, draws = posterior.shape
    parts = np.split(values.reshape(len(values), chains, draws), len(posterior.each), axis=1)
    rows = [figures(np.moveaxis(part, 0, 2)) for part in parts]
    bulk, tail = (np.sum([getattr(part, name) for part in rows], axis=0) for name in ("bulk", "tail"))
    return {
        "rhat": np.max([part.rhat for part in rows], axis=0).tolist(),
        "ess_bulk": bulk.tolist(),
        "ess_tail": tail.tolist(),
    }


def random_draws(posterior: Posterior) -> dict[tuple[str, str], tuple[str, np.ndarray]]:
    """By group and term, what other tables call it, and its draws."""
    draws = _random_draws(posterior)
    return {key: (name, draws[key]) for key, name in zip(draws, random_names(posterior), strict=True)}


def _random_draws(posterior: Posterior) -> dict[tuple[str, str], np.ndarray]:
    draws: dict[tuple[str, str], np.ndarray] = {}
    for term in posterior.spec.groups:
        draws.update(_group_draws(posterior, term))
    draws.update({("Smooth", key): values for key, values in smooth_sds(posterior).items()})
    for own in posterior.spec.shrunk:
        draws |= {("Shrinkage", name): posterior.values(name) for name in own.shared}
    for name in posterior.spec.scalars:
        draws["Residual" if name == "sigma" else "Family", name] = posterior.values(name)
    return draws


def _random(posterior: Posterior, prob: float) -> pd.DataFrame:
    draws = _random_draws(posterior)
    names = random_names(posterior)
    table = _table(posterior, {str(place): values for place, values in enumerate(draws.values())}, prob, names)
    table.index = pd.MultiIndex.from_tuples(list(draws), names=["group", "term"]) if draws else table.index
    return table


def random_names(posterior: Posterior) -> list[str]:
    """What other tables call the standard deviations, correlations and parameters of the family."""
    spec = posterior.spec
    names = [
        name
        for term in spec.groups
        for name in (*term.sd_keys(), *(term.correlation_keys() if term.correlated else ()))
    ]
    shared = [name for own in spec.shrunk for name in own.shared]
    return [*names, *(curve.key for curve in curves(spec.smooths)), *shared, *spec.scalars]


def _group_draws(posterior: Posterior, term: GroupDesign) -> dict[tuple[str, str], np.ndarray]:
    sds, names, group = standard_deviations(posterior, term), term.row_names, term.grouping.name
    draws = {(group, f"sd({name})"): sds[:, place] for place, name in enumerate(names)}
    if term.correlated:
        matrices = correlation_matrices(posterior, term)
        for second, first in term.pairs():
            draws[group, f"cor({names[first]}, {names[second]})"] = matrices[:, first, second]
    return draws


def _links(spec: ModelSpec) -> str:
    """The links of all linear predictors: ``logit``, ``identity; sigma: log``."""
    further = [f"{name}: {each.link.name}" for name, each in spec.predictors.items() if name != "mu"]
    further = [] if spec.family.categories else further  # which all have that of the family
    return "; ".join([spec.family.link.name, *further])


def _head(posterior: Posterior) -> str:
    spec, settings = posterior.spec, posterior.settings
    chains, draws = posterior.shape
    source = spec.cells.source
    data = f"{len(posterior.parts)} imputed data sets, the first " * bool(posterior.parts) + spec.cells.size()
    if source.missing:
        data += f" ({source.missing:,} with missing values dropped)"
    return "\n".join(
        [
            f" Family: {spec.family.name} (link {_links(spec)})",
            f"Formula: {spec.formula}",
            f"   Data: {data}",
            f"  Draws: {chains} chains of {draws:,} after {settings.tune:,} of warm-up, seed {settings.seed}"
            if settings.tune and posterior.quadrature_error is None
            else f"  Draws: {chains} chains of {draws:,}",
        ]
    )


def _random_text(posterior: Posterior, random: pd.DataFrame, prob: float) -> list[str | TextTable]:
    if random.empty:
        return []
    shown = random.reset_index()
    shown["group"] = shown["group"].where(~shown["group"].duplicated(), "")
    sizes = ", ".join(f"{grouping.name} {grouping.groups:,}" for grouping in posterior.spec.cells.groupings.values())
    groups = [f"Number of levels: {sizes}"] if sizes else []
    smooth = "Smooths (sd of wiggles)" if posterior.spec.smooths else "Family's parameters"
    title = "Varying effects (sd, cor)" if groups else smooth
    return [f"{title}:", _printed(shown, prob), *groups, *_medians(random_names(posterior), posterior)]


def _fixed_text(posterior: Posterior, fixed: pd.DataFrame, prob: float) -> list[str | TextTable]:
    spec = posterior.spec
    if isinstance(spec, PooledSpec) and spec.hyperprior.fixed is not None:
        return ["Rates are not pooled: each is uniform from 0 to 1, whatever the others are."]
    if fixed.empty:
        return []
    title = f"Common effects ({_links(spec)} scale)"
    if isinstance(spec, PooledSpec):
        title = f"Population of rates: mean, and spread {spec.pool.spread}"
    remarks = _medians([*fixed.index], posterior)
    for figure in posterior.sizes_without_end():
        remarks.append(f"Complete pooling, spread 0, is not ruled out, so that {figure}.")
    return [f"{title}:", _printed(fixed.reset_index(names="term"), prob), *remarks]


def _medians(names: list[str], posterior: Posterior) -> list[str]:
    powers = existing(posterior.spec, names)
    remark = medians_remark([name for name, power in zip(names, powers, strict=True) if power <= 1.0])
    return [remark] if remark else []


def _printed(table: pd.DataFrame, prob: float) -> TextTable:
    percent = f"{100 * prob:g}%"
    titles = {"group": "Group", "term": "Term", "estimate": "Estimate", "sd": "Est.Error", "lower": f"l-{percent}",
              "upper": f"u-{percent}", "rhat": "R-hat", "ess_bulk": "Bulk ESS", "ess_tail": "Tail ESS"}  # fmt: skip
    columns = []
    for name in map(str, table.columns):
        key = name in ("group", "term")
        columns.append(Column(titles[name], _column_text(name, table[name]), "key" if key else "number", left=key))
    columns[0] = replace(columns[0], heading=f" {columns[0].heading}", texts=[f" {text}" for text in columns[0].texts])
    return TextTable(columns)


def _column_text(name: str, values: Iterable[object]) -> list[str]:
    if name in ("group", "term"):
        return [visible(str(value)) for value in values]
    spec = {"rhat": ".3f", "ess_bulk": ",.0f", "ess_tail": ",.0f"}.get(name)
    return [format(value, spec) if spec else number_text(float(str(value))) for value in values]


def number_text(value: float) -> str:
    """Two decimals for small numbers, fewer for large ones, as a reader of lme4 expects; powers of ten beyond these."""
    digits = 2 if abs(value) >= 0.095 or value == 0 else 3
    if np.isnan(value):
        return "none"
    if value != 0 and not SMALLEST <= abs(value) < LARGEST:
        return f"{value:.2e}"
    return f"{value:,.{0 if abs(value) >= 1e5 else digits}f}"


TITLES = {"estimate": "Estimate", "sd": "Est.Error", "rhat": "R-hat", "ess_bulk": "Bulk ESS", "ess_tail": "Tail ESS"}
WHOLE = {"rhat": "{:.3f}", "ess_bulk": "{:,.0f}", "ess_tail": "{:,.0f}"}


def estimate_formats(table: pd.DataFrame) -> dict[str, Callable[[float], str]]:
    """How the numbers of each column are written."""
    return {str(name): WHOLE[str(name)].format if name in WHOLE else number_text for name in table.columns}


def _paper(summary: Summary) -> PaperTable:
    """A summary's tables as one."""
    percent = f"{100 * summary.prob:g}%"
    titles = {**TITLES, "lower": f"l-{percent}", "upper": f"u-{percent}"}
    rows = []
    for name, own in summary.fixed.iterrows():
        rows.append({"part": PARTS[0], "term": str(name), **_texts(own, titles)})
    for key, own in summary.random.iterrows():
        group, term = key if isinstance(key, tuple) else ("", key)
        rows.append(
            {"part": part_of(str(group), str(term)), "term": term_of(str(group), str(term)), **_texts(own, titles)}
        )
    frame = pd.DataFrame(rows, columns=["part", "term", *(titles[name] for name in summary.columns)])
    return PaperTable(frame, summary.heading)


HEADINGS = {"Residual": "Family", "Family": "Family", "Smooth": "Smooths", "Shrinkage": "Shrinkage"}


def _of_factor(group: str, term: str) -> bool:
    """Whether a term is of a grouping factor, which may have any name."""
    return group not in HEADINGS or term.startswith(("sd(", "cor("))


def part_of(group: str, term: str) -> str:
    """Under which heading a term stands."""
    return PARTS[1] if _of_factor(group, term) else HEADINGS[group]


def term_of(group: str, term: str) -> str:
    """What a term is called there."""
    return f"{group}: {term}" if _of_factor(group, term) else term


def _texts(row: pd.Series, titles: Mapping[str, str]) -> dict[str, str]:
    return {
        titles[str(name)]: WHOLE[str(name)].format(value) if name in WHOLE else number_text(float(value))
        for name, value in row.items()
    }
