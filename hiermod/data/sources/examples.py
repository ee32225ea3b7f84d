"""Small public data sets, so that every example runs as pasted."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd

from hiermod.errors import DataError, did_you_mean

SETS = {
    "country": "One treatment in two countries: 400 rows of country, treated (0/1), success (0/1).",
    "variants": "Four variants, 100 trials each: variant, successes, trials.",
    "variants2": "The same, but variant A has 3 successes in 10 trials.",
    "cbpp": "Contagious bovine pleuropneumonia in 15 herds over 4 periods (Lesnoff et al. 2004).",
    "eight_schools": "Effects of coaching in eight schools with their standard errors (Rubin 1981).",
    "sleepstudy": "Reaction times of 18 subjects over 10 days of sleep deprivation (Belenky et al. 2003).",
}
TEXT_COLUMNS = {"cbpp": ("herd", "period"), "sleepstudy": ("Subject",)}


def example(name: str) -> pd.DataFrame:
    """Return a small data set by name.

    Parameters
    ----------
    name : str
        ``"country"``, ``"variants"``, ``"variants2"``, ``"cbpp"``, ``"eight_schools"`` or ``"sleepstudy"``.

    Returns
    -------
    pandas.DataFrame
        A fresh copy. In ``cbpp`` and ``sleepstudy`` the columns that are factors in R are categorical.

    Raises
    ------
    DataError
        If there is no such set.

    Examples
    --------
    >>> import hiermod as hm
    >>> hm.example("variants").shape
    (4, 3)
    """
    if name not in SETS:
        raise DataError(f"There is no example {name!r}.{did_you_mean(name, SETS)}")
    with (files("hiermod.data") / "sets" / f"{name}.csv").open() as file:
        frame = pd.read_csv(file)
    for column in TEXT_COLUMNS.get(name, ()):
        order = [str(level) for level in sorted(frame[column].unique())]
        frame[column] = pd.Categorical(frame[column].astype(str), categories=order)
    return frame
