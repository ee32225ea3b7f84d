"""The data sets that come with the package."""

import pandas as pd
import pytest

from hiermod.data.sources.examples import SETS, example
from hiermod.errors import DataError


def test_the_first_two_models_data():
    country = example("country")
    assert list(country.columns) == ["country", "treated", "success"]
    assert len(country) == 400
    assert (country.groupby(["country", "treated"]).size() == 100).all()
    assert example("variants")["trials"].tolist() == [100] * 4


def test_public_sets_have_their_published_sizes():
    cbpp, sleepstudy = example("cbpp"), example("sleepstudy")
    assert (len(cbpp), cbpp["herd"].nunique(), cbpp["incidence"].sum(), cbpp["size"].sum()) == (56, 15, 99, 842)
    schools = example("eight_schools")
    assert (len(schools), schools["effect"].sum(), schools["se"].sum()) == (8, 70, 100)
    assert list(cbpp["period"].cat.categories) == ["1", "2", "3", "4"]
    assert list(cbpp["herd"].cat.categories) == [str(herd) for herd in range(1, 16)]
    assert (len(sleepstudy), sleepstudy["Subject"].nunique()) == (180, 18)
    assert sleepstudy["Reaction"].mean() == pytest.approx(298.5079, abs=1e-4)


@pytest.mark.parametrize("name", SETS)
def test_each_call_gives_a_fresh_copy(name):
    one = example(name)
    one.iloc[0, 0] = one.iloc[1, 0]
    one["extra"] = 1
    assert "extra" not in example(name).columns
    assert isinstance(example(name), pd.DataFrame)


def test_an_unknown_name_shows_the_nearest():
    with pytest.raises(DataError, match=r"no example 'sleep'.*Did you mean 'sleepstudy'"):
        example("sleep")
