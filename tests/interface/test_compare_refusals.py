"""What cannot be left out, or not so, is refused by its name; tables keep the names of the data's columns apart."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import AnswerError, PriorError

QUICK = {"draws": 50, "chains": 2, "seed": 1, "progress": False}


@pytest.fixture(scope="module")
def fit():
    return hm.fit("success ~ treated + (1 | country)", hm.example("country"), **QUICK)


REFUSED = {
    "seed=-1: a whole number from 0 on": lambda fit: fit.kfold(2, seed=-1),
    "seed=1.5: a whole number from 0 on": lambda fit: fit.kfold(2, seed=1.5),
    "seed='a': a whole number from 0 on": lambda fit: fit.kfold(2, seed="a"),
    "seed=True: a whole number from 0 on": lambda fit: hm.compare({"a": fit}, method="kfold", seed=True),
    "max_refits=-1: a whole number from 0 on": lambda fit: fit.logo(max_refits=-1),
    "max_refits=.a.: a whole number from 0 on": lambda fit: fit.loo(max_refits="a"),
    "max_refits=True: a whole number from 0 on": lambda fit: fit.loo(max_refits=True),
    r"no column 'contry', which the comparison needs\. Did you mean 'country'": lambda fit: fit.logo("contry"),
    r"no column 'treatd', which the comparison needs\. Did you mean 'treated'": lambda fit: fit.kfold(2, by="treatd"),
    r"no column 'sucess', which the.*Did you mean 'success'": lambda fit: fit.kfold(2, stratify="sucess"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused(fit, message):
    with pytest.raises(AnswerError, match=message):
        REFUSED[message](fit)


def test_priors_of_formulas_are_a_dict():
    with pytest.raises(PriorError, match=r"priors='Normal\(0, 1\)': a dict by parameter is needed"):
        hm.compare(["success ~ treated", "success ~ 1"], hm.example("country"), priors="Normal(0, 1)")


def test_columns_of_stored_fits_are_looked_for_among_what_they_hold(fit, tmp_path):
    fit.save(tmp_path / "fit.nc")
    with pytest.raises(AnswerError, match=r"no column 'contry', which the comparison needs\. Did you mean 'country'"):
        hm.load(tmp_path / "fit.nc").logo("contry")


def test_the_only_group_is_not_left_out():
    data = hm.example("country")
    plain = hm.fit("success ~ treated", data[data["country"] == "Canada"], **QUICK)
    with pytest.raises(AnswerError, match="one group of country only, 'Canada': without it, there is nothing to fit"):
        plain.logo("country", progress=False)


def test_a_group_without_which_a_posterior_is_improper_is_named():
    """Rates of 1 in all other groups do not bound the spread of the Beta distribution."""
    data = pd.DataFrame({"v": list("abc"), "s": [10, 3, 10], "n": [10, 10, 10]})
    model = hm.model("s/n ~ (1 | v)", data, pooling="beta")
    with pytest.raises(
        AnswerError, match=r"The group 'b' of v cannot be left out: .* needs 'b'\. pooling='beta' has no"
    ):
        model.fit(**QUICK).logo(progress=False)


@pytest.mark.parametrize("name", ["rows", "elpd", "pareto_k"])
def test_groups_are_there_whatever_their_column_is_called(fit, name):
    data = hm.example("country").rename(columns={"country": name})
    again = hm.fit(f"success ~ treated + (1 | {name})", data, **QUICK)
    for score in ("joint", "rows"):
        found = again.logo(score=score, progress=False).pointwise
        expected = fit.logo(score=score, progress=False).pointwise
        assert found.columns.is_unique
        assert list(found[f"{name}_"]) == list(expected["country"])
        np.testing.assert_allclose(found["elpd"], expected["elpd"])
