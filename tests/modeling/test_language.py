"""Functions, offsets, weights and levels in formulas: what they learn, and that compression changes nothing."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import hiermod as hm
from hiermod.errors import DataError, FormulaError, HiermodError, ModelError
from hiermod.formula.vocabulary import REGISTERED

RIGHT = "poly(x, 2) + bs(z, df=4) + ns(x, df=3):f + scale(z) + cut(x, 3) + factor(k) + C(f, sum):z + (scale(x) | g)"


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    n = 60
    frame = pd.DataFrame(
        {
            "x": rng.uniform(1, 9, n).round(1),
            "z": rng.normal(size=n).round(1),
            "k": rng.integers(0, 3, n),
            "f": rng.choice(list("abc"), n),
            "g": rng.choice(list("uvw"), n),
            "w": rng.integers(0, 4, n),
        }
    )
    return frame.assign(
        y=rng.normal(size=n).round(2) + 4, b=rng.integers(0, 2, n), c=rng.poisson(3, n), n=4, s=rng.integers(0, 5, n)
    )


def design(model):
    spec = model._defined.spec
    frame = spec.cells.frame
    terms = [effect.block.matrix(frame) for term in spec.groups for effect in term.effects]
    return np.hstack([block.matrix(frame) for block in spec.common.blocks] + terms)


def logp(model, point):
    own = model.pymc()
    return own.compile_logp(mode="FAST_COMPILE")(point(own))


def same_point(seed):
    def point(model):
        rng = np.random.default_rng(seed)
        return {name: rng.normal(size=np.shape(value)) * 0.3 for name, value in model.initial_point().items()}

    return point


def test_weights_are_repetitions(data):
    weighted = hm.model(f"y | weights(w) ~ {RIGHT}", data)
    repeated = hm.model(f"y ~ {RIGHT}", data.loc[data.index.repeat(data["w"])])
    np.testing.assert_allclose(design(weighted), design(repeated), rtol=1e-10, atol=1e-12)
    pd.testing.assert_frame_equal(weighted.cells, repeated.cells, rtol=1e-10, check_dtype=False)
    pd.testing.assert_frame_equal(weighted.prior_summary(), repeated.prior_summary())


FAMILIES = {"y": "gaussian", "b": "bernoulli", "c": "poisson", "s/n": "binomial"}


@pytest.mark.parametrize(("response", "family"), FAMILIES.items())
@pytest.mark.parametrize("weights", ["", " | weights(w)"])
def test_compression_changes_nothing(data, response, family, weights):
    right = "poly(k, 2) + scale(k):f + cut(k, c(-1, 0, 5)) + offset(log(n)) + (scale(k) | g)"
    text = f"{response}{weights} ~ {right}"
    cells, rows = (hm.model(text, data, family, compress=compress) for compress in (True, False))
    assert len(cells.cells) < len(rows.cells)
    differences = [logp(cells, same_point(seed)) - logp(rows, same_point(seed)) for seed in range(3)]
    np.testing.assert_allclose(differences, differences[0], rtol=1e-9, atol=1e-7)
    pd.testing.assert_frame_equal(cells.prior_summary(), rows.prior_summary())


@pytest.mark.parametrize(("response", "family"), FAMILIES.items())
def test_functions_of_several_columns_work_with_every_family_and_default_priors(data, response, family):
    model = hm.model(f"{response} ~ {RIGHT}", data, family)
    assert np.isfinite(logp(model, same_point(1)))


def drawn(model, **values):
    """The model with given draws, two of each parameter; others are 0."""
    variables = {}
    for variable in model._defined.spec.variables():
        name, shape = variable.name, variable.shape
        value = np.asarray(values.get(name, np.zeros((2, *shape))), dtype=float)
        variables[name] = (("chain", "draw", *(f"{name}_{place}" for place in range(len(shape)))), value[None])
    return model.with_draws(xr.Dataset(variables))


def test_new_rows_are_transformed_as_the_fitted_ones(data, tmp_path):
    model = hm.model("y ~ poly(x, 2) + scale(z) + cut(x, 3) + relevel(f, 'b')", data)
    slopes = {
        "poly(x, 2)": [[2.0, -1.0], [0.5, 3.0]],
        "scale(z)": [0.4, 0.7],
        "relevel(f, 'b')": [[1.0, 2.0], [0.0, 3.0]],
    }
    fit = drawn(model, Intercept=[1.0, 2.0], sigma=[1.0, 1.0], **slopes)
    whole = fit.predict(data).table["estimate"]
    few = fit.predict(data.iloc[[7, 3]]).table["estimate"]
    np.testing.assert_allclose(few, whole.iloc[[7, 3]], rtol=1e-12)
    z = (data["z"] - data["z"].mean()) / data["z"].std()
    by_hand = 1.5 + 0.55 * z + data["f"].map({"b": 0.0, "a": 0.5, "c": 2.5})
    powers = np.vander(data["x"] - data["x"].mean(), 3, increasing=True)
    q = np.linalg.qr(powers)[0][:, 1:]
    q *= np.sign((q * powers[:, 1:]).sum(axis=0))
    np.testing.assert_allclose(whole, by_hand + q @ [1.25, 1.0], rtol=1e-9)
    fit.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(again.predict(data).table, fit.predict(data).table)


def test_what_is_made_of_a_column_follows_where_it_is_set(data):
    model = hm.model("y ~ log(k + 1) + factor(k) + x", data)
    fit = drawn(
        model, Intercept=[1.0, 1.0], sigma=[1.0, 1.0], **{"log(k + 1)": [2.0, 2.0], "factor(k)": [[1.0, 5.0]] * 2}
    )
    rates = fit.rates(by="k").table.set_index("k")["estimate"]
    np.testing.assert_allclose(rates, [1.0, 1 + 2 * np.log(2) + 1, 1 + 2 * np.log(3) + 5], rtol=1e-12)
    effect = fit.effect("k").table.set_index("contrast")["estimate"]
    np.testing.assert_allclose(effect["1 vs 0"], 2 * np.log(2) + 1, rtol=1e-12)
    assert list(fit.rates(by="factor(k)").table["factor(k)"]) == [0, 1, 2]


def test_a_column_that_differs_within_cells_cannot_be_set(data):
    fit = drawn(hm.model("b ~ cut(z, 3)", data))
    with pytest.raises(HiermodError, match=r"'z' differs within cells. Give rows that have it"):
        fit.effect("z")
    assert len(fit.effect("cut(z, 3)").table) == 2


def test_columns_behind_functions_stay_where_they_can(data):
    model = hm.model("b ~ I(k * n) + cut(x, 3)", data)
    assert "n" in model.cells
    assert "x" not in model.cells
    assert not model.cells.isna().to_numpy().any()
    fit = drawn(model, **{"I(k * n)": [0.5, 0.5]})
    np.testing.assert_allclose(fit.effect("k", scale="link").table["estimate"], [2.0, 4.0], rtol=1e-12)
    rows = data.drop(columns="x")
    assert len(fit.effect("cut(x, 3)", data=rows).table) == 2


@pytest.mark.parametrize("response", ["t['yes']", "I(t == 'yes')", "t == 'yes'"])
def test_a_level_is_a_response(data, response):
    texts = data.assign(t=data["b"].map({0: "no", 1: "yes"}))
    model, plain = hm.model(f"{response} ~ x", texts), hm.model("b ~ x", data)
    pd.testing.assert_frame_equal(model.cells, plain.cells)
    assert model.family == "bernoulli"
    with pytest.raises(DataError, match=r"no level 'ye'.*Did you mean 'yes'"):
        hm.model("t['ye'] ~ x", texts)


def test_a_transformed_response_says_on_which_scale_answers_are(data, capsys):
    model = hm.model("log(y) ~ x", data)
    assert "answers are on the scale of log(y)" in capsys.readouterr().err
    values = hm.model("v ~ x", data.assign(v=np.log(data["y"])))
    np.testing.assert_allclose(logp(model, same_point(2)), logp(values, same_point(2)), rtol=1e-12)
    with pytest.raises(DataError, match=r"Counts are whole numbers from 0 on; 'sqrt\(c\)'"):
        hm.model("sqrt(c) ~ x", data, "poisson")
    with pytest.raises(DataError, match="no finite number"):
        hm.model("log(z) ~ x", data)


def test_offsets_of_counts_are_exposures(data):
    exposed = data.assign(hours=np.linspace(0.5, 6.0, len(data)))
    model = hm.model("c ~ f + offset(log(hours)) + (1 | g)", exposed, "poisson")
    own = model.pymc()
    point = same_point(3)(own)
    by_hand = stats.poisson.logpmf(exposed["c"], exposed["hours"] * np.exp(_predictor(own, point, exposed))).sum()
    observed = own.compile_logp(vars=own.observed_RVs, mode="FAST_COMPILE")(point)
    assert observed == pytest.approx(by_hand, rel=1e-10)
    centre = np.log((exposed["c"].sum() + 0.5) / exposed["hours"].sum())
    assert f"StudentT(3, {centre:.4g}, 1)" in model.prior_summary()["prior"].to_list()
    fit = drawn(model, Intercept=[0.3, 0.3], f=[[0.0, 0.5]] * 2, **{"1|g_sigma": [1.0, 1.0]})
    np.testing.assert_allclose(fit.rates(by="f").table["estimate"], np.exp([0.3, 0.3, 0.8]), rtol=1e-12)
    assert fit.rates(by="f", data=exposed.drop(columns="hours")).table.shape == (3, 6)
    expected = exposed["hours"] * np.exp(0.3 + 0.5 * (exposed["f"] == "c"))
    np.testing.assert_allclose(fit.predict(exposed).table["estimate"], expected, rtol=1e-12)
    raw = exposed.groupby("g")["c"].sum() / exposed.groupby("g")["hours"].sum()
    np.testing.assert_allclose(fit.shrinkage()["raw"], raw, rtol=1e-12)


def _predictor(model, point, frame):
    slopes = dict(zip("abc", [0.0, *point["f"]], strict=True))
    sigma = np.exp(point["1|g_sigma_log__"])
    groups = dict(zip("uvw", sigma * point["1|g_offset"], strict=True))
    return point["Intercept"] + frame["f"].map(slopes) + frame["g"].map(groups)


def test_an_offset_of_a_gaussian_model_is_subtracted(data):
    same = {"sigma": "Exponential(1)", "Intercept": "Normal(0, 5)", "x": "Normal(0, 1)"}
    model = hm.model("y ~ x + offset(2 * z)", data, priors=same)
    moved = hm.model("v ~ x", data.assign(v=data["y"] - 2 * data["z"]), priors=same)
    differences = [logp(model, same_point(seed)) - logp(moved, same_point(seed)) for seed in range(3)]
    np.testing.assert_allclose(differences, differences[0], rtol=1e-9)


def test_the_dot_stands_for_all_other_columns(data, capsys):
    model = hm.model("y ~ . - w + (1 | g)", data[["y", "x", "f", "g", "w"]])
    assert model.formula == "y ~ x + f + (1 | g)"
    assert "'.' stands for all other columns" in capsys.readouterr().err
    wide = hm.model("y ~ . + x:f + I(x^2)", data[["y", "x", "f"]])
    assert wide.formula == "y ~ x + f + I(x^2) + x:f"
    assert hm.model("y ~ . - x + x:f", data[["y", "x", "f"]]).formula == "y ~ f + x:f"
    with pytest.raises(FormulaError, match="no other columns"):
        hm.model("y ~ . + (1 | g)", data[["y", "g"]])
    with pytest.raises(FormulaError, match=r"column 'log\(x\)' that cannot be written"):
        hm.model("y ~ .", data[["y", "x"]].assign(**{"log(x)": 1.0}))


def test_functions_of_ones_own(data, tmp_path):
    hm.register("halved", lambda x: x / 2)
    try:
        model = hm.model("y ~ halved(x) + halved(x):f", data)
        np.testing.assert_allclose(design(model)[:, 1], model.cells["x"] / 2)
        drawn(model, sigma=[1.0, 1.0]).save(tmp_path / "fit.nc")
        hm.register("wrong", lambda x: x[:2])
        with pytest.raises(FormulaError, match="returned the shape"):
            hm.model("y ~ wrong(x)", data)
    finally:
        REGISTERED.clear()
    with pytest.raises(HiermodError, match="no function 'halved'"):
        hm.load(tmp_path / "fit.nc")
    for name in ("log", "no name", "offset", 3):
        with pytest.raises(HiermodError, match="is taken, or no plain name"):
            hm.register(name, abs)
    with pytest.raises(HiermodError, match="cannot be called"):
        hm.register("mine", 3)


@pytest.mark.parametrize(
    ("right", "message"),
    [
        ("log(z)", "no finite number in .* rows"),
        ("log(f)", "holds text .'a', 'b', 'c'., with which nothing can be calculated"),
        ("poly(k, 3)", "more than 3 distinct values"),
        ("poly(x, 2.5)", "degree is a whole number"),
        ("bs(x, df=2)", "df is a whole number from 3"),
        ("ns(x, knots=99)", "must lie between"),
        ("cut(x, c(0, 2, 4))", "in none of the intervals"),
        ("cut(x, 1)", "number of intervals"),
        ("relevel(f, 'd')", "no level 'd'"),
        ("C(f, 'summ')", "no contrasts 'summ'"),
        ("factor(f, levels=c('a', 'b'))", "leaves out 'c'"),
        ("I(k * 0)", "is constant"),
        ("log(poly(x, 2))", "several columns or levels"),
        ("scale(missing)", "no column 'missing'"),
    ],
)
def test_what_functions_refuse(data, right, message):
    with pytest.raises(HiermodError, match=message):
        hm.model(f"y ~ {right}", data)


def test_weights_are_counts(data, capsys):
    hm.model("y | weights(w) ~ x", data)
    assert "rows with 0 trials or weight dropped" in capsys.readouterr().err
    with pytest.raises(DataError, match="'w' is fractional"):
        hm.model("y | weights(w) ~ x", data.assign(w=0.5))
    with pytest.raises(DataError, match="every row has 0 trials, or the weight 0"):
        hm.model("y | weights(w) ~ x", data.assign(w=0))


def test_bambi_gets_variables_as_columns_or_says_that_it_cannot(data):
    rows = data.rename(columns={"g": "g/1"})
    model = hm.model("y ~ log(x) + relevel(f, 'b')*I(x / 2) + factor(k) + offset(z) + (I(x / 2) | `g/1`)", rows)
    own, theirs = model.pymc(), model.bambi().backend.model
    assert {value.name for value in own.value_vars} == {value.name for value in theirs.value_vars}
    difference = [
        own.compile_logp(mode="FAST_COMPILE")(same_point(seed)(own))
        - theirs.compile_logp(mode="FAST_COMPILE")(same_point(seed)(own))
        for seed in range(3)
    ]
    np.testing.assert_allclose(difference, difference[0], rtol=1e-9, atol=1e-7)
    for right in ("poly(x, 2)", "C(f, sum)"):
        with pytest.raises(ModelError, match="Bambi would make in its own way"):
            hm.model(f"y ~ {right}", data).bambi()


def test_a_predictor_may_be_called_offset(data):
    fit = hm.model("b ~ x_offset", data.assign(x_offset=data["x"])).fit(
        draws=50, tune=50, chains=1, seed=1, progress=False
    )
    assert "x_offset" in fit.posterior
    assert "x_offset" in fit.fixef().index


def test_names_with_commas_are_sampled(data):
    fit = hm.model("b ~ poly(x, 2) + `a, b`", data.assign(**{"a, b": data["f"]})).fit(
        draws=50, tune=50, chains=1, seed=1, progress=False
    )
    assert fit.posterior["poly(x, 2)"].dims[-1] == "poly(x, 2)_dim"
    assert list(fit.fixef().index) == ["Intercept", "poly(x, 2)[1]", "poly(x, 2)[2]", "a, b[b]", "a, b[c]"]


@pytest.mark.parametrize("right", ["o/year", "0 + o*year", "C(f, sum)/year", "0 + C(f, sum)*year", "o + year:o"])
def test_numbers_are_centred_beside_any_contrasts(data, right):
    rows = data.assign(year=2008.0 + data["x"], o=pd.Categorical(data["f"], ordered=True))
    model = hm.model(f"y ~ {right}", rows)
    common = model._defined.spec.common
    assert "year" in common.centres
    frame, matrix = model._defined.spec.cells.frame, []
    for centres in ({}, common.centres):
        matrix.append(np.hstack([block.matrix(frame, centres) for block in common.blocks]))
    b = np.random.default_rng(1).normal(size=matrix[0].shape[1])
    np.testing.assert_allclose(matrix[1] @ (b + common.shift @ b), matrix[0] @ b, rtol=1e-8)


def test_a_numeric_reference_counts_levels_as_in_r(data):
    levels = hm.model("y ~ relevel(factor(k), 2)", data)._defined.spec.cells.predictors["relevel(factor(k), 2)"].levels
    assert levels == (1, 0, 2)
    named = hm.model("y ~ C(k, Treatment(2))", data)._defined.spec.cells.predictors["relevel(k, '2')"].levels
    assert named == (2, 0, 1)
    ordered = data.assign(o=pd.Categorical(data["f"], ordered=True))
    with pytest.raises(FormulaError, match="none is a reference"):
        hm.model("y ~ relevel(o, 'b')", ordered)


@pytest.mark.parametrize("inside", ["factor(k)", "poly(x, 2)", "factor(f)"])
def test_offsets_are_numbers(data, inside):
    with pytest.raises(FormulaError, match="an offset is one number a row"):
        hm.model(f"y ~ x + offset({inside})", data)


@pytest.mark.parametrize(
    "call",
    [
        "log(x, 'a')", "log(x, c(2, 3))", "round(x, 'a')", "scale(x, 'a')", "scale(x, scale='no')", "bs(x, knots='a')",
        "bs(x, knots=TRUE)", "cut(x, 'a')", "cut(x, c('a', 'b', 'c'))", "factor(poly(x, 2))", "poly(x, raw='yes')",
        "factor(k, labels=c('a', 'b', 'a'))", "cut(x, c(0, 2, 5, 30), labels=c('a', 'b', 'a'))",
    ],
)  # fmt: skip
def test_options_that_do_not_fit(data, call):
    with pytest.raises(FormulaError, match=r"cannot be|cannot be computed|one label"):
        hm.model(f"y ~ {call}", data)


def test_own_functions_that_fail_or_change(data, tmp_path):
    def doubling(x):
        x *= 2
        return x

    try:
        hm.register("cube", lambda x: x**3)
        hm.register("broken", lambda x: 1 / 0)
        hm.register("doubling", doubling)
        before = data["x"].copy()
        hm.model("y ~ doubling(x)", data)
        pd.testing.assert_series_equal(data["x"], before)
        with pytest.raises(FormulaError, match="registered function failed: ZeroDivisionError"):
            hm.model("y ~ broken(x)", data)
        drawn(hm.model("y ~ cube(x)", data), sigma=[1.0, 1.0]).save(tmp_path / "fit.nc")
        hm.register("cube", lambda x: -x)
        with pytest.raises(hm.errors.StorageError, match="its function changed"):
            hm.load(tmp_path / "fit.nc")
    finally:
        REGISTERED.clear()


def test_rows_without_a_response_do_not_stand_in_the_way(data):
    rows = data.assign(v=data["x"])
    rows.loc[0, ["y", "v"]] = [np.nan, 0.0]
    assert len(hm.model("y ~ log(v) + cut(v, c(0.5, 5, 20))", rows, compress=False).cells) == len(data) - 1


def test_a_level_may_be_a_number_or_a_boolean(data):
    rows = data.assign(v=data["b"].astype(float), t=data["b"] == 1)
    rows.loc[0, "v"] = np.nan
    expected = hm.model("b ~ x", data.iloc[1:], compress=False).cells["successes"].to_numpy()
    np.testing.assert_array_equal(hm.model("v[1] ~ x", rows, compress=False).cells["successes"], expected)
    for text in ("t[TRUE]", "t['True']", "I(t == TRUE)", "t[1]"):
        assert hm.model(f"{text} ~ x", rows, compress=False).cells["successes"].sum() == data["b"].sum()


def test_booleans_and_groups_in_functions_can_be_set(data):
    rows = data.assign(t=data["b"] == 1)
    fit = drawn(hm.model("y ~ t + I(t * k) + factor(w) + (1 | w)", rows), t=[1.0, 1.0], **{"I(t * k)": [1.0, 1.0]})
    expected = 1.0 + data["k"].mean()
    np.testing.assert_allclose(fit.effect("t").table["estimate"], [expected], rtol=1e-12)


def test_names_are_read_as_formulas_print_them(data):
    model = hm.model("y ~ poly(x,2) + cut(z,3)", data, priors={"poly(x,2)": "Normal(0, 1)"})
    assert "Normal(0, 1)" in model.prior_summary()["prior"].to_list()
    assert len(drawn(model, sigma=[1.0, 1.0]).effect("cut(z,3)").table) == 2


def test_levels_that_do_not_occur_are_dropped_with_a_notice(data, capsys):
    model = hm.model("y ~ factor(k, levels=c(2, 1, 0, 7))", data)
    assert model._defined.spec.cells.predictors["factor(k, levels=c(2, 1, 0, 7))"].levels == (2, 1, 0)
    assert "levels without rows left out: '7'" in capsys.readouterr().err
    halves = hm.model("y ~ cut(x, c(-Inf, 4, Inf))", data, compress=False).cells["cut(x, c(-Inf, 4, Inf))"]
    np.testing.assert_array_equal(halves == "(-Inf,4]", data["x"] <= 4)


@pytest.mark.parametrize(("text", "told"), [
    ("y ~ x^2", ["x"]), ("y ~ log(k + 1)**2 + x", ["log(k + 1)"]), ("y ~ (1 + x^3 | f)", ["x"]), ("y ~ (x + k)^2", []),
    ("y ~ x^1", []), ("y ~ I(x^2)", []),
])  # fmt: skip
def test_a_power_that_changes_nothing_is_told_of(text, told, data):
    notices = [notice for notice in hm.model(text, data.assign(y=data.x + 1.0)).notices if "power" in notice]
    assert notices == [
        f"a power of the one term {term} is that term, as in R: for its square write I({term}^2)" for term in told
    ]
