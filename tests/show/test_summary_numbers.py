"""Numbers of the summary at any scale of the response: never 0 for what is not, never a hundred digits."""

import pandas as pd
import pytest

import hiermod as hm

ROWS = pd.DataFrame({"y": [1.2, 0.3, 2.5, 1.9, 0.8, 1.4], "a": list("uvuvuv")})


def estimates(scale):
    fit = hm.fit("y ~ a", ROWS.assign(y=ROWS["y"] * scale), draws=50, chains=2, seed=1, progress=False, cores=1)
    text = str(fit.summary())
    shown = next(line for line in text.splitlines() if line.startswith(" a[v]")).split()[1:5]
    columns = fit.summary().fixed.loc["a[v]", ["estimate", "sd", "lower", "upper"]]
    return [float(word.replace(",", "")) for word in shown], columns.to_list(), shown


@pytest.mark.parametrize("scale", [2.0**-40, 1.0, 2.0**20, 2.0**60])
def test_numbers_are_what_tables_have(scale):
    read, true, shown = estimates(scale)
    assert read == pytest.approx(true, rel=0.02)
    assert max(map(len, shown)) <= 13


def test_numbers_of_common_size_are_written_out():
    assert not any("e" in word for word in estimates(1.0)[2])
