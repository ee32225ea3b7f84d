"""R² and intraclass correlations, held against rstanarm's and performance's of the same draws and estimates."""

import duckdb
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import hiermod as hm
from hiermod.answers.scoring.explained import expected_without
from hiermod.data.cells.observations import observations
from hiermod.errors import AnswerError
from tests.truth import REFERENCE

LEFT_OUT = pd.read_csv(REFERENCE / "explained_loo.csv", dtype={"group": str, "x": str})
ICC = pd.read_csv(REFERENCE / "icc.csv").set_index(["model", "group"])
ESTIMATES = pd.read_csv(REFERENCE / "icc_estimates.csv", dtype={"level": str}, keep_default_na=False)
TICKS = pd.read_csv(REFERENCE / "grouseticks.csv", dtype={"YEAR": str})


def sick_rows():
    """One 0/1 row per animal."""
    cbpp = hm.example("cbpp")
    rows = cbpp.loc[cbpp.index.repeat(cbpp["size"])]
    return rows.assign(sick=(rows.groupby(level=0).cumcount() < rows["incidence"]).astype(int))


CROSSED = pd.MultiIndex.from_product([[*"abcdefghijklmnopqrstuvwx"], [*"ABCDEF"]], names=["plate", "sample"])
PENICILLIN = CROSSED.to_frame(index=False).assign(diameter=np.arange(144) % 7.0)
MODELS = {
    "sleepstudy": ("Reaction ~ Days + (Days | Subject)", hm.example("sleepstudy"), "gaussian"),
    "penicillin": ("diameter ~ 1 + (1 | plate) + (1 | sample)", PENICILLIN, "gaussian"),
    "cbpp": ("sick ~ period + (1 | herd)", sick_rows(), "bernoulli"),
    "cbpp_probit": ("sick ~ period + (1 | herd)", sick_rows(), "bernoulli(probit)"),
    "grouseticks": ("TICKS ~ YEAR + (1 | BROOD) + (1 | LOCATION)", TICKS, "poisson"),
}


def dataset(values):
    """Draws by name, shape (draws, ...), as one chain."""
    return xr.Dataset(
        {
            name: (("chain", "draw", *(f"{name}_{axis}" for axis in range(array.ndim - 1))), array[None])
            for name, array in values.items()
        }
    )


def with_draws(name, values):
    """A fit of a model with draws by name; standard deviations and correlations that play no part are 1 and 0."""
    model = hm.model(*MODELS[name])
    size = len(values["Intercept"])
    for variable in model._defined.spec.variables():
        shape = (size, *variable.shape)
        values.setdefault(variable.name, np.zeros(shape) if variable.role == "correlation" else np.ones(shape))
    return model.with_draws(dataset(values))


def of_rstanarm(name):
    """rstanarm's draws under hiermod's names, and its R² of each."""
    table = pd.read_csv(REFERENCE / f"explained_{name}.csv")
    group, terms = ("Subject", ["(Intercept)", "Days"]) if name == "sleepstudy" else ("herd", ["(Intercept)"])
    levels = list(dict.fromkeys(LEFT_OUT.loc[LEFT_OUT["model"] == name, "group"]))
    levels = sorted(levels, key=int)
    values = {"Intercept": table["(Intercept)"].to_numpy()}
    for term in terms:
        effect = "1" if term == "(Intercept)" else term
        values[f"{effect}|{group}"] = table[[f"b[{term} {group}:{level}]" for level in levels]].to_numpy()
    if name == "sleepstudy":
        values |= {"Days": table["Days"].to_numpy(), "sigma": table["sigma"].to_numpy()}
    else:
        values["period"] = table[["period2", "period3", "period4"]].to_numpy()
    return with_draws(name, values), table


@pytest.fixture(scope="module", params=["sleepstudy", "cbpp"])
def given(request):
    return request.param, *of_rstanarm(request.param)


def test_r2_of_given_draws_is_that_of_rstanarm(given):
    _, fit, table = given
    found = fit.r2(loo=False).loc["conditional"]
    expected = table["conditional"]
    assert found["estimate"] == pytest.approx(expected.mean(), rel=1e-6)
    assert found["sd"] == pytest.approx(expected.std(), rel=1e-5)
    assert found["lower"] == pytest.approx(expected.quantile(0.025), rel=1e-5)


def test_marginal_r2_counts_the_variance_between_groups_as_unexplained(given):
    """rstanarm's `re.form = NA` leaves that variance out of both parts; here it is the one of the rows, by hand."""
    name, fit, table = given
    data = MODELS[name][1]
    link = fit.predict(data, kind="link").draws.to_numpy()[0]
    typical = fit.predict(data, kind="link", groups="typical").draws.to_numpy()[0]
    if name == "cbpp":
        link, typical = (1.0 / (1.0 + np.exp(-eta)) for eta in (link, typical))
    sigma = None if name == "cbpp" else table["sigma"].to_numpy()
    noise, theirs = ((m * (1.0 - m)).mean(axis=1) if sigma is None else sigma**2 for m in (link, typical))
    explained, between = typical.var(axis=1, ddof=1), (link - typical).var(axis=1, ddof=1)
    np.testing.assert_allclose(explained / (explained + theirs), table["without_groups"], rtol=1e-6)
    found = fit.r2(loo=False).loc["marginal", "estimate"]
    assert found == pytest.approx((explained / (explained + between + noise)).mean(), rel=1e-9)


def test_expectations_of_rows_left_out_are_those_of_the_loo_package(given):
    name, fit, _ = given
    group, x = ("Subject", "Days") if name == "sleepstudy" else ("herd", "period")
    seen = observations(fit.sampled_posterior.spec.cells)
    frame = seen.frame.iloc[seen.place].reset_index(drop=True).astype({group: str, x: str})
    found = pd.DataFrame({"group": frame[group], "x": frame[x], "y": seen.responses[:, 0]})
    found["mean"] = expected_without(fit.sampled_posterior, seen)[0]
    both = found.merge(LEFT_OUT[LEFT_OUT["model"] == name], on=["group", "x", "y"], validate="one_to_one")
    assert len(both) == len(found)
    np.testing.assert_allclose(both["mean"], both["expected"], rtol=2e-3)


def test_leave_one_out_r2_is_near_that_of_rstanarm(given):
    """Both are means of 100 draws of weights of rows, so that they differ by their Monte Carlo errors."""
    name, fit, _ = given
    found = fit.r2().loc["loo"]
    theirs = LEFT_OUT.loc[LEFT_OUT["model"] == name, "loo_r2"].iloc[0]
    assert abs(found["estimate"] - theirs) < 4.0 * np.sqrt(2.0 / 100.0) * found["sd"]


def test_rows_and_counts_have_one_r2():
    """Averages weigh trials, so that R² is that of single animals however they are written."""
    _, table = of_rstanarm("cbpp")
    values = {name: array.to_numpy() for name, array in of_rstanarm("cbpp")[0].posterior.isel(chain=0).items()}
    counts = hm.model("cbind(incidence, size - incidence) ~ period + (1 | herd)", hm.example("cbpp"), "binomial")
    found = counts.with_draws(dataset(values)).r2(loo=False).loc["conditional", "estimate"]
    assert found == pytest.approx(table["conditional"].mean(), rel=1e-6)


def of_lme4(name):
    """lme4's estimates as four equal draws."""
    model = hm.model(*MODELS[name])
    own = ESTIMATES[ESTIMATES["model"] == name]
    values = {}
    for variable in model._defined.spec.variables():
        labels, term = variable.labels, variable.name.partition("|")[0]
        if variable.role == "coefficient":
            terms = (
                ["(Intercept)"]
                if variable.name == "Intercept"
                else [t for t in own.loc[own["kind"] == "fixef", "term"] if variable.name in t]
            )
            value = own[own["kind"] == "fixef"].set_index("term").loc[terms, "value"].to_numpy()
        elif variable.role == "family":
            value = own.loc[(own["kind"] == "sd") & (own["group"] == "Residual"), "value"].to_numpy()
        else:
            group = variable.name.partition("|")[2].removesuffix("_sigma").removesuffix("_cor")
            kind = {"sd": "sd", "correlation": "cor", "effect": "ranef"}[variable.role]
            chosen = own[(own["kind"] == kind) & (own["group"] == group)]
            if kind != "cor":
                chosen = chosen[chosen["term"] == ("(Intercept)" if term == "1" else term)]
            value = (
                chosen["value"].to_numpy()
                if kind != "ranef"
                else chosen.set_index("level")["value"].loc[list(labels[0])].to_numpy()
            )
        values[variable.name] = np.tile(value.reshape(variable.shape), (4,) + (1,) * len(variable.shape))
    return model.with_draws(dataset(values))


@pytest.mark.parametrize("name", ["sleepstudy", "penicillin", "cbpp", "cbpp_probit", "grouseticks"])
def test_icc_of_given_estimates_is_that_of_performance(name):
    """With one factor the total is its own; performance's share by factor leaves slopes out, and is not compared."""
    found = of_lme4(name).icc().set_index(["group", "icc"])["estimate"].unstack()
    expected = ICC.loc[name] if len(found) > 1 else ICC.loc[name].loc[["all groups"]].set_axis(found.index)
    known = expected["unadjusted"].notna()
    np.testing.assert_allclose(found["adjusted"][expected.index], expected["adjusted"], rtol=1e-5)
    np.testing.assert_allclose(found["unadjusted"][expected.index][known], expected["unadjusted"][known], rtol=1e-5)


def test_icc_of_counts_takes_the_variance_at_the_mean_count():
    """log(1 + 1/mean + 1/alpha) of a negative binomial, and of a gamma log(1 + 1/alpha), by hand."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 30)})
    data["y"] = rng.poisson(np.exp(rng.normal(1.0, 0.6, 6)).repeat(30) * rng.gamma(2.0, 0.5, 180))
    draws = {
        "Intercept": np.array([1.0, 0.8]),
        "1|g": rng.normal(0.0, 0.5, (2, 6)),
        "1|g_sigma": np.array([0.5, 0.7]),
        "alpha": np.array([2.0, 3.0]),
    }
    mean = np.exp(draws["Intercept"][:, None] + draws["1|g"]).mean(axis=1)
    between = draws["1|g_sigma"] ** 2
    counts = hm.model("y ~ (1 | g)", data, "negbinomial").with_draws(dataset(draws))
    expected = (between / (between + np.log(1.0 + 1.0 / mean + 1.0 / draws["alpha"]))).mean()
    assert counts.icc()["estimate"][0] == pytest.approx(expected)
    positive = hm.model("y ~ (1 | g)", data.assign(y=data["y"] + 0.5), "gamma").with_draws(dataset(draws))
    expected = (between / (between + np.log(1.0 + 1.0 / draws["alpha"]))).mean()
    assert positive.icc()["estimate"][0] == pytest.approx(expected)


def test_icc_with_several_predictors_takes_the_others_at_their_average(capsys):
    """log(1 + 1/mean + 1/alpha) again, alpha averaged over rows; groups that differ in it alone are left out."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 30), "x": np.tile([0, 1], 90)})
    data["y"] = rng.poisson(np.exp(rng.normal(1.0, 0.6, 6)).repeat(30) * rng.gamma(2.0, 0.5, 180))
    draws = {
        "Intercept": np.array([1.0, 0.8]), "alpha_Intercept": np.array([0.5, 0.7]), "alpha_x": np.array([0.3, -0.4]),
        "1|g": rng.normal(0.0, 0.5, (2, 6)), "1|g_sigma": np.array([0.5, 0.7]),
        "alpha_1|g": rng.normal(0.0, 0.5, (2, 6)), "alpha_1|g_sigma": np.array([0.2, 0.3]),
    }  # fmt: skip
    fit = hm.model("y ~ (1 | g); alpha ~ x + (1 | g)", data, "negbinomial").with_draws(dataset(draws))
    mean = np.exp(draws["Intercept"][:, None] + draws["1|g"]).mean(axis=1)
    log_alpha = draws["alpha_Intercept"][:, None, None] + draws["alpha_x"][:, None, None] * np.array([0.0, 1.0])
    alpha = np.exp(log_alpha + draws["alpha_1|g"][:, :, None]).mean(axis=(1, 2))
    between = draws["1|g_sigma"] ** 2
    expected = between / (between + np.log(1.0 + 1.0 / mean + 1.0 / alpha))
    table = fit.icc()
    assert table["group"].tolist() == ["g", "g"]
    assert table["estimate"][0] == pytest.approx(expected.mean())
    assert "with alpha at the average over rows; that groups differ in alpha too is left out" in capsys.readouterr().err
    own = {name: values for name, values in draws.items() if not name.startswith("1|g")}
    with pytest.raises(AnswerError, match="no groups in mu: they differ in alpha"):
        hm.model("y ~ 1; alpha ~ x + (1 | g)", data, "negbinomial").with_draws(dataset(own)).icc()


def test_of_aggregated_rows_leave_one_out_is_left_out_with_a_notice(capsys):
    rng = np.random.default_rng(5)
    count = 120_000
    data = pd.DataFrame({"x": rng.normal(size=count), "g": rng.integers(0, 5, count).astype(str)})
    data["y"] = data["x"] + rng.normal(size=count)
    there = hm.model("y ~ x + (1 | g)", duckdb.from_df(data), "gaussian")
    here = hm.model("y ~ x + (1 | g)", data, "gaussian")
    names = ["Intercept", "x", "sigma", "1|g_sigma"]
    draws = {name: rng.uniform(0.5, 1.5, 40) for name in names} | {"1|g": rng.normal(size=(40, 5))}
    tables = [model.with_draws(dataset(draws)).r2(loo=model is not here) for model in (there, here)]
    assert "no leave-one-out R²: fit.loo() leaves out one row" in capsys.readouterr().err
    pd.testing.assert_frame_equal(*tables)


def test_without_groups_there_is_no_icc():
    data = pd.DataFrame({"y": [0.1, 1.2, 2.1, 2.9, 4.2], "x": range(5)})
    draws = {"Intercept": np.zeros(30), "x": np.ones(30), "sigma": np.ones(30)}
    fit = hm.model("y ~ x", data).with_draws(dataset(draws))
    assert fit.r2(loo=False)["estimate"].nunique() == 1
    with pytest.raises(AnswerError, match="no groups"):
        fit.icc()
