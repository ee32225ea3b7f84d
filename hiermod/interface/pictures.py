"""`plot_scenarios`: several fits in one picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hiermod.errors import ModelError
from hiermod.interface.fit import Fit


def plot_scenarios(
    fits: Mapping[str, Fit], *, group: str | None = None, level: Any = None, prob: float = 0.95, axes: Any = None
) -> Any:
    """The same groups in several scenarios, side by side: how the data of one change what is said of all.

    At the left, a box plot of every group's rate in each scenario: its quartiles, and a ``prob`` interval as whiskers.
    At the right, what one group is expected to show next, given its data: the posterior predictive histogram of its
    rate in as many trials (or as much exposure) as it had, beside the raw rate of all groups as a dashed line.

    Parameters
    ----------
    fits : dict
        Fits of the same groups, by the names of the scenarios.
    group : str, optional
        The grouping factor; required where there are several.
    level : optional
        The group at the right; otherwise the first whose data differ between the scenarios.
    prob : float
        The probability of the whiskers' interval.
    axes : two matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    numpy.ndarray
        The two matplotlib Axes.

    Raises
    ------
    ModelError
        If `fits` is no dict of fits.
    AnswerError
        If a model has no rates of groups, there is no such level, or groups are too many.

    Examples
    --------
    >>> import hiermod as hm
    >>> formula = "successes/trials ~ (1 | variant)"
    >>> scenarios = {
    ...     "100 trials": hm.fit(formula, hm.example("variants"), pooling="beta", seed=1, progress=False),
    ...     "10 trials of A": hm.fit(formula, hm.example("variants2"), pooling="beta", seed=1, progress=False),
    ... }
    >>> hm.plot_scenarios(scenarios).shape
    (2,)
    """
    from hiermod.answers.answer import check_prob
    from hiermod.show.scenarios import plot_scenarios as draw

    if not isinstance(fits, Mapping) or not fits:
        raise ModelError('plot_scenarios() takes a dict of fits by name: {"100 trials": fit, "10 trials": other}.')
    for name, fit in fits.items():
        if not isinstance(fit, Fit):
            raise ModelError(f"{str(name)!r} is a {type(fit).__name__}; a fit is needed, as hm.fit() gives it.")
    check_prob(prob)
    posteriors = {str(name): fit.sampled_posterior for name, fit in fits.items()}
    return draw(posteriors, group, level, prob, axes)
