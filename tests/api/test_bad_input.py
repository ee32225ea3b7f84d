"""Bad input through the public API: a clear error before anything is sampled."""

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import AnswerError, DataError, FormulaError, HiermodError, ModelError, PriorError, SamplingError


@pytest.fixture
def ab():
    return pd.DataFrame({"v": list("ABCD"), "s": [3, 5, 6, 8], "n": [10, 10, 10, 10]})


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"y": rng.normal(size=40), "x": rng.normal(size=40), "t": np.tile([0, 1], 20), "g": np.repeat(list("abcd"), 10)}
    )


def change(frame, **columns):
    return frame.assign(**columns)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"s": [11, 5, 6, 8]}, r"More successes than trials in 1 rows: row 0 has s = 11 and n = 10"),
        ({"s": [-1, 5, 6, 8]}, r"'s' is negative in 1 rows \(row 0: -1\)"),
        ({"s": [2.5, 5, 6, 8]}, r"'s' is fractional in 1 rows \(row 0: 2.5\)"),
        ({"s": [np.inf, 5, 6, 8]}, r"'s' holds infinity \(1 rows, the first is row 0\)"),
        ({"s": [np.nan] * 4}, r"Nothing is left: all 4 rows have a missing value"),
        ({"n": [0] * 4, "s": [0] * 4}, r"Nothing is left: every row has 0 trials"),
        ({"v": ["A"] * 4}, r"'v' has one level only \('A'\)"),
        ({"v": [0.5, 1.5, 2.5, 3.5]}, r"grouping column 'v' holds floating-point numbers"),
    ],
)
def test_counts_that_cannot_be(ab, columns, message):
    with pytest.raises(DataError, match=message):
        hm.fit("s/n ~ (1 | v)", change(ab, **columns))


@pytest.mark.parametrize(
    ("formula", "family", "message"),
    [
        ("s ~ (1 | v)", "nbinom1(identity)", "The family nbinom1 has no link 'identity'"),
        ("x ~ (1 | v)", "negbinomial", r"Counts are whole numbers from 0 on; 'x' holds 0.5 \(row 0\)"),
        ("x ~ (1 | v)", "gamma", r"takes numbers above 0; 'x' holds -1.5 \(row 1\)"),
        ("s/n ~ (1 | v)", "gamma", "takes one numeric column"),
        ("s ~ (1 | v)", "beta_binomial", "successes out of several trials; 's' is one column"),
        ("s/one ~ (1 | v)", "beta_binomial", "here each row has one. Single trials cannot show overdispersion"),
        ("v ~ 1", "student", "'v' holds text"),
    ],
)
def test_responses_that_a_family_does_not_take(ab, formula, family, message):
    frame = ab.assign(s=[3, 5, 6, 8] if "one" not in formula else [0, 1, 1, 0], one=1, x=[0.5, -1.5, 2.0, 1.0])
    with pytest.raises(DataError, match=message):
        hm.fit(formula, frame, family)


@pytest.mark.parametrize("name", ["alpha", "kappa", "nu"])
def test_a_family_has_its_own_parameters_alone(rows, name):
    with pytest.raises(PriorError, match=f"no parameter {name!r}"):
        hm.model("y ~ x", rows, priors={name: "Exponential(1)"})


def test_a_column_cannot_have_the_name_of_a_parameter(rows):
    with pytest.raises(DataError, match="Two quantities of this model would be called 'nu'"):
        hm.model("y ~ nu", rows.rename(columns={"x": "nu"}), "student")


def test_empty_frame(ab):
    with pytest.raises(DataError, match="The data has no rows"):
        hm.fit("s/n ~ (1 | v)", ab.iloc[:0])


def test_missing_column_shows_the_nearest_with_a_caret(rows):
    with pytest.raises(FormulaError, match=r"no column 'tt' in the data. Did you mean 't'\?") as caught:
        hm.fit("y ~ tt + (1 | g)", rows)
    *_, text, caret = str(caught.value).splitlines()
    assert text[caret.index("^") : caret.rindex("^") + 1] == "tt"


def test_constant_predictor_and_response(rows):
    with pytest.raises(DataError, match=r"predictor 'x' is constant \(3 in every row\)"):
        hm.fit("y ~ x", change(rows, x=3))
    with pytest.raises(DataError, match=r"response 'y' is constant"):
        hm.fit("y ~ x", change(rows, y=2.0))


def test_text_outcome_names_the_remedy(rows):
    with pytest.raises(DataError, match=r"'y' holds text \('no', 'yes'\).*write y\['yes'\]"):
        hm.fit("y ~ x", change(rows, y=np.tile(["no", "yes"], 20)))


@pytest.mark.parametrize("name", ["chain", "draw", "sigma", "Intercept", "estimate"])
def test_names_that_results_use_are_refused_as_predictors(rows, name):
    with pytest.raises(FormulaError, match=rf"results use the name '{name}' themselves. Rename the column"):
        hm.fit(f"y ~ {name} + (1 | g)", rows.rename(columns={"x": name}))


def test_a_response_may_be_called_estimate(rows):
    assert len(hm.model("estimate ~ x", rows.rename(columns={"y": "estimate"})).cells) == 40


def test_unknown_family_prior_pooling_engine_and_na(rows):
    with pytest.raises(DataError, match=r"no family 'poison'. Did you mean 'poisson'"):
        hm.fit("y ~ x", rows, "poison")
    with pytest.raises(PriorError, match=r"no parameter 'slop' to give a prior. Did you mean 'slope'"):
        hm.fit("y ~ x", rows, priors={"slop": "Normal(0, 1)"})
    with pytest.raises(PriorError, match=r"no distribution 'Norml'. Did you mean 'Normal'"):
        hm.fit("y ~ x", rows, priors={"slope": "Norml(0, 1)"})
    with pytest.raises(ModelError, match="pooling='bta'"):
        hm.fit("y ~ x", rows, pooling="bta")
    with pytest.raises(ModelError, match="engine='fast'"):
        hm.fit("y ~ x", rows, engine="fast")
    with pytest.raises(DataError, match="na='keep'"):
        hm.fit("y ~ x", rows, na="keep")


@pytest.mark.parametrize("setting", [{"draws": 0}, {"chains": 0}, {"seed": -1}, {"target_accept": 1.0}, {"draws": 1.5}])
def test_settings_out_of_range(rows, setting):
    (name,) = setting
    with pytest.raises(SamplingError, match=name):
        hm.fit("y ~ x", rows, **setting)


@pytest.mark.parametrize("s", [[0, 0, 0, 0], [10, 10, 10, 10], [0, 10, 0, 10]])
def test_beta_pooling_refuses_exactly_where_its_posterior_is_improper(ab, s):
    with pytest.raises(DataError, match="no proper posterior"):
        hm.fit("s/n ~ (1 | v)", change(ab, s=s), pooling="beta")
    assert len(hm.model("s/n ~ (1 | v)", change(ab, s=[*s[:3], 9]), pooling="beta").cells) == 4


def test_beta_pooling_takes_groups_alone(ab, rows):
    with pytest.raises(FormulaError, match="for the rates of groups alone"):
        hm.fit("s/n ~ n + (1 | v)", change(ab, n=[10, 11, 12, 13]), pooling="beta")
    with pytest.raises(DataError, match="not for family gaussian"):
        hm.fit("y ~ (1 | g)", rows, pooling="beta")
    with pytest.raises(PriorError, match="has no prior 'sd'"):
        hm.fit("s/n ~ (1 | v)", ab, pooling="beta", priors={"sd": "HalfNormal(1)"})


def test_nothing_is_sampled_before_an_error(monkeypatch, ab):
    def never(*_, **__):
        raise AssertionError("sampled")

    monkeypatch.setattr("hiermod.interface.fit.sample", never)
    with pytest.raises(HiermodError):
        hm.fit("s/n ~ (1 | v)", change(ab, s=[11, 1, 1, 1]))


QUESTIONS = {
    "variable: the model has no column 'treatd'. Did you mean 'treated'": lambda fit: fit.effect("treatd"),
    "by: the model has no column 'contry'. Did you mean 'country'": lambda fit: fit.rates(by="contry"),
    "has no level 'x' to be the control": lambda fit: fit.effect("treated", control="x"),
    "scale='lft'. Did you mean 'lift'": lambda fit: fit.effect("treated", scale="lft"),
    "groups='all'": lambda fit: fit.rates(groups="all"),
    "goal='up'": lambda fit: fit.best("treated", goal="up"),
    "prob=95": lambda fit: fit.rates(prob=95),
    "rope=0.1": lambda fit: fit.effect("treated", rope=0.1),
    "kind='median'": lambda fit: fit.predict(kind="median"),
    "no grouping factor 'countr'": lambda fit: fit.shrinkage("countr"),
    "cannot stand in by= or at= too": lambda fit: fit.effect("treated", by="treated"),
    r"no country 'Peru', so there is no observed effect": lambda fit: fit.predict(
        pd.DataFrame({"country": ["Peru"], "treated": [1]})
    ),
}


@pytest.mark.parametrize("message", QUESTIONS)
def test_questions_that_cannot_be_answered(country_fit, message):
    with pytest.raises(AnswerError, match=message.replace("(", r"\(")):
        QUESTIONS[message](country_fit)


def test_too_many_arms(rows):
    import xarray as xr

    data = pd.concat([rows, rows.assign(x=rows["x"] + 1)])
    names = {"Intercept": 0.0, "x": 1.0, "sigma": 1.0}
    draws = xr.Dataset({name: (("chain", "draw"), np.full((1, 4), value)) for name, value in names.items()})
    fit = hm.model("y ~ x", data).with_draws(draws)
    with pytest.raises(AnswerError, match="80 distinct numbers, too many for a line each"):
        fit.effect("x")


def test_rows_are_named_by_their_place_in_the_data():
    data = pd.DataFrame({"s": [1, 2, 3, 50, 1], "n": 20, "x": [np.nan, np.nan, 1.0, 2.0, np.inf]})
    with pytest.raises(DataError, match="row 3 has s = 50 and n = 20"):
        hm.model("s/n ~ x", data)
    with pytest.raises(DataError, match=r"holds infinity \(1 rows, the first is row 4"):
        hm.model("s/n ~ x", data.assign(s=1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.assign(y=data["y"] * 1e-300), "response has the standard deviation"),
        (lambda data: data.assign(x=data["x"] * 1e300), "predictor has the standard deviation"),
    ],
)
def test_numbers_beyond_reckoning(change, message):
    data = pd.DataFrame({"y": [1.0, 2.5, 3.0, 4.0], "x": [1.0, 2.0, 5.0, 4.0]})
    with pytest.raises(DataError, match=message):
        hm.model("y ~ x", change(data))


def test_counts_too_large_to_be_exact():
    with pytest.raises(DataError, match="too large to be exact"):
        hm.model("y ~ 1", pd.DataFrame({"y": [1e19, 2e19]}), "poisson")
    with pytest.raises(DataError, match="too large to be exact"):
        hm.model("s/n ~ 1", pd.DataFrame({"s": [1, 2], "n": [1e19, 5]}))


def test_priors_are_a_dict_of_parameters(rows):
    with pytest.raises(PriorError, match="a dict by parameter is needed"):
        hm.model("y ~ x", rows, priors="Normal(0, 1)")
    with pytest.raises(PriorError, match="no parameter '1'"):
        hm.model("y ~ x", rows, priors={1: "Normal(0, 1)"})
    with pytest.raises(PriorError, match=r"no parameter 'g\[nowhere\]'.*The term's columns are: 'g\["):
        hm.model("y ~ g", rows, priors={"g[nowhere]": "Normal(0, 1)"})


def test_levels_that_would_name_two_coefficients():
    data = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "f": list("abab"), "f[b]": [1.0, 2.0, 3.0, 5.0]})
    with pytest.raises(DataError, match=r"would be called 'f\[b\]'"):
        hm.model("y ~ f + `f[b]`", data)


def test_lme4s_own_arguments():
    for name, message in (("REML", "averages over"), ("link", r"binomial\(probit\)")):
        with pytest.raises(ModelError, match=f"{name}= belongs to lme4.*{message}"):
            hm.glmer("y ~ x", None, "binomial", **{name: False})


def test_a_response_of_one_value_or_of_numbers_that_look_like_successes_is_remarked(rows, capsys):
    hm.model("y ~ x", rows.assign(y=1))
    assert "every response is 1" in capsys.readouterr().err
    hm.model("y ~ x", rows.assign(y=[0, 1] * 20), "gaussian")
    assert "whose rate family='bernoulli' would model" in capsys.readouterr().err


def test_missing_values_are_counted_by_column(rows, capsys):
    rows = rows.astype({"x": float})
    rows.loc[[0, 1, 2], "x"] = np.nan
    rows.loc[[2, 3], "g"] = None
    hm.model("y ~ x + g", rows)
    err = capsys.readouterr().err
    assert "4 rows with missing values dropped" in err
    assert "missing values by column: x 3, g 2" in err
