"""`table`: several fits beside each other, for a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hiermod.answers.answer import check_prob
from hiermod.errors import ModelError
from hiermod.interface.fit import Fit

if TYPE_CHECKING:
    from hiermod.show.paper import PaperTable


def table(
    fits: Mapping[str, Fit] | Sequence[Fit] | Fit, *, prob: float = 0.95, exponentiate: bool = False,
    names: Mapping[str, str] | None = None, loo: bool = False,
) -> PaperTable:  # fmt: skip
    """Put the estimates of fits side by side, as R's modelsummary does.

    Parameters
    ----------
    fits : dict or list of Fit
        Fits by the names of their columns; in a list their formulas are the names.
    prob : float
        Of the intervals.
    exponentiate : bool
        Whether common coefficients are given as their exponentials: odds ratios, ratios of rates.
    names : dict, optional
        Other names for terms, such as ``{"treated": "New page"}``.
    loo : bool
        Whether the expected log predictive density of rows left out, and its standard error, are given.

    Returns
    -------
    PaperTable
        Its repr is the table in plain text; ``frame`` has its texts, and ``to_markdown()``, ``to_latex()``,
        ``to_html()`` and ``gt()`` give it for papers.

    Raises
    ------
    ModelError
        If something is no fit.

    Examples
    --------
    >>> import hiermod as hm
    >>> hm.table({"Trial": fit}).frame["term"].tolist()[:2]
    ['Intercept', 'treated']
    """
    from hiermod.show.models_table import side_by_side

    several = [fits] if isinstance(fits, Fit) else fits
    every = list(several.values()) if isinstance(several, Mapping) else list(several)
    if wrong := [type(fit).__name__ for fit in every if not isinstance(fit, Fit)]:
        raise ModelError(f'table() takes fits: {{"A": fit, "B": other}}; here is a {wrong[0]}.')
    if not every:
        raise ModelError('table() takes fits: {"A": fit, "B": other}; here is none.')
    named = dict(several) if isinstance(several, Mapping) else {fit.formula: fit for fit in several}
    if len(named) < len(every):
        raise ModelError('table(): two fits have the same formula. Name them: {"A": fit, "B": other}.')
    check_prob(prob)
    scores = {}
    if loo:
        for name, fit in named.items():
            found = fit.loo(progress=False)
            scores[name] = (("ELPD (leave-one-out)", f"{found.elpd:,.1f}"), ("SE of ELPD", f"{found.se:,.1f}"))
    posteriors = {str(name): fit.sampled_posterior for name, fit in named.items()}
    return side_by_side(posteriors, prob, exponentiate, names or {}, scores)
