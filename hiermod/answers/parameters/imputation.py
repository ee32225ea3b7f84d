"""What imputation leaves unknown of parameters: variances within and between the fits to imputed data sets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hiermod.answers.parameters.hypotheses import chief_draws
from hiermod.sampling.posterior import Posterior


def missing_information(posterior: Posterior) -> pd.DataFrame:
    """Rubin's rules: a row per parameter, ``estimate, sd, within, between, fraction, df``.

    With m fits, W the mean of their posterior variances and B the variance of their posterior means, the variance is
    ``W + (1 + 1/m) B``; the fraction of it that imputation adds is missing information.
    """
    count = len(posterior.parts)
    by_fit = {name: values.reshape(count, -1) for name, values in chief_draws(posterior).items()}
    means = np.array([values.mean(axis=1) for values in by_fit.values()])
    within = np.array([values.var(axis=1, ddof=1).mean() for values in by_fit.values()])
    between = means.var(axis=1, ddof=1)
    added = (1.0 + 1.0 / count) * between
    total = within + added
    fraction = np.divide(added, total, out=np.zeros_like(total), where=total > 0.0)
    with np.errstate(divide="ignore"):
        freedom = np.where(fraction > 0.0, (count - 1.0) / fraction**2, np.inf)
    columns = {
        "estimate": means.mean(axis=1), "sd": np.sqrt(total), "within": np.sqrt(within), "between": np.sqrt(between),
        "fraction": fraction, "df": freedom,
    }  # fmt: skip
    return pd.DataFrame(columns, index=pd.Index(by_fit, name="parameter"))
