"""brms's `cs()`, effects that differ between thresholds: chances by hand, the model in PyMC, answers and words."""

import pickle

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from modeling_tools import QUICK
from scipy import special, stats

import hiermod as hm
from hiermod.errors import FormulaError, ModelError
from hiermod.families.registry import read_family
from hiermod.formula.parser import parse

CATEGORIES = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(1.0, 1.0, 90).round(1), "f": rng.choice(["u", "v"], 90)})
    return frame.assign(g=rng.integers(0, 5, 90), r=rng.integers(1, 5, 90))


def specific(family):
    return read_family(family).of_categories(CATEGORIES).with_parameters(["cs"])


def sequential(stop, go):
    """Chances of the categories, the last axis, of those to stop at each that was reached and to go on."""
    reached = np.concatenate([np.ones_like(stop[..., :1]), np.cumprod(go, axis=-1)], axis=-1)
    return reached * np.concatenate([stop, np.ones_like(stop[..., :1])], axis=-1)


def by_hand(family, eta, thresholds, moves):
    """Chances by their definitions, SciPy's distribution functions standing for the links."""
    distance = thresholds - eta[..., None] - moves
    match family:
        case "sratio":
            return sequential(special.expit(distance), special.expit(-distance))
        case "sratio(cloglog)":
            return sequential(-np.expm1(-np.exp(distance)), np.exp(-np.exp(distance)))
        case "cratio(probit)":
            return sequential(stats.norm.cdf(distance), stats.norm.cdf(-distance))
        case "acat":
            odds = np.cumsum(np.concatenate([np.zeros_like(distance[..., :1]), -distance], axis=-1), axis=-1)
            return special.softmax(odds, axis=-1)


FAMILIES = ["sratio", "sratio(cloglog)", "cratio(probit)", "acat"]


@pytest.mark.parametrize("order", [("cs", "disc"), ("disc", "cs")])
def test_discriminated_thresholds_move_by_their_own_in_either_order(order):
    record, rng = read_family("sratio").of_categories(CATEGORIES), np.random.default_rng(2)
    for name in order:
        record = record.with_parameters([name])
    assert record.auxiliary == (*(f"Intercept[{place}]" for place in (1, 2, 3)), "cs1", "cs2", "cs3", "disc")
    assert record.added == ("cs", "disc")
    eta, disc = rng.normal(0.0, 0.5, 50), np.exp(rng.normal(0.0, 0.4, 50))
    thresholds, moves = rng.normal(0.0, 0.7, (2, 50, 3))
    distance = disc[:, None] * (thresholds - eta[:, None] - moves)
    expected = sequential(special.expit(distance), special.expit(-distance))
    parameters = [*thresholds.T, *moves.T, disc]
    for place in range(4):
        found = record.observation_density((place + 1.0,), eta, parameters)
        np.testing.assert_allclose(found, np.log(expected[:, place]), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(record.mean(eta, *parameters), expected @ [1.0, 2.0, 3.0, 4.0], rtol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_threshold_moves_by_its_own(family):
    rng = np.random.default_rng(1)
    eta = rng.normal(0.0, 0.5, 1000)
    thresholds, moves = rng.normal(0.0, 0.7, (2, 1000, 3))
    record, expected = specific(family), by_hand(family, eta, thresholds, moves)
    parameters = [*thresholds.T, *moves.T]
    for place in range(4):
        found = record.observation_density((place + 1.0,), eta, parameters)
        np.testing.assert_allclose(found, np.log(expected[:, place]), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(record.mean(eta, *parameters), expected @ [1.0, 2.0, 3.0, 4.0], rtol=1e-12)
    less, at_most = record.cdf((3.0,), record.linear(eta), *parameters)
    np.testing.assert_allclose([less, at_most], np.cumsum(expected, axis=1)[:, 1:3].T, rtol=1e-10)
    drawn = record.draw_responses(np.full(20_000, eta[0]), 1.0, [own[0] for own in parameters], rng)
    counts = np.bincount(drawn.astype(int), minlength=5)[1:] / 20_000
    assert (np.abs(counts - expected[0]) < 5.0 * np.sqrt(expected[0] / 20_000)).all()


def test_a_stopping_ratio_of_specific_effects_alone_is_a_logistic_regression_of_each_step(frame):
    rng = np.random.default_rng(4)
    x, r = frame["x"].to_numpy(), frame["r"].to_numpy(dtype=float)
    thresholds, slopes = rng.normal(size=3), rng.normal(size=3)
    seen = specific("sratio").observation_density((r,), 0.0 * x, [*thresholds, *(slope * x for slope in slopes)])
    steps = sum(
        stats.bernoulli.logpmf(r[r >= k] == k, special.expit(thresholds[k - 1] - slopes[k - 1] * x[r >= k])).sum()
        for k in (1, 2, 3)
    )
    assert seen.sum() == pytest.approx(steps, rel=1e-12)


@pytest.mark.slow
def test_the_model_in_pymc_has_the_density_of_the_chances(frame):
    model = hm.model("r ~ x + cs(f + x) + (cs(1) | g)", frame, "acat").pymc()
    outputs = {value.name: value for value in model.unobserved_value_vars}
    names = ["Intercept", "x", *(f"cs{k}_{own}" for own in ("f", "x", "1|g") for k in (1, 2, 3))]
    run = model.compile_fn([model.observedlogp, *(outputs[name] for name in names)], mode=QUICK)
    x, g, r = (frame[name].to_numpy() for name in ("x", "g", "r"))
    f = (frame["f"] == "v").to_numpy()
    rng = np.random.default_rng(2)
    for _ in range(2):
        point = {name: value + 0.4 * rng.normal(size=np.shape(value)) for name, value in model.initial_point().items()}
        seen, thresholds, slope, *own = run(point)
        moves = np.stack([own[k][0] * f + own[3 + k] * x + own[6 + k][g] for k in range(3)], axis=1)
        chances = by_hand("acat", slope * x, thresholds, moves)
        assert float(seen) == pytest.approx(np.log(chances[np.arange(90), r - 1]).sum(), rel=1e-9)


def test_the_prior_of_thresholds_stands_at_the_means_of_all_their_predictors(frame):
    model = hm.model("r ~ f + cs(x)", frame, "acat")
    draws = model.sample_prior(4000, seed=1).prior
    x = frame["x"].mean()
    thresholds = draws["Intercept"].to_numpy()[0]
    slopes = np.stack([draws[f"cs{k}_x"].to_numpy()[0] for k in (1, 2, 3)], axis=1)
    chances = by_hand("acat", np.zeros(4000), thresholds, slopes * x)  # Dirichlet(1): each has the mean 1/4, sd 0.194
    np.testing.assert_allclose(chances.mean(axis=0), 0.25, atol=5.0 * 0.194 / np.sqrt(4000))
    names = model.prior_summary()
    assert list(names["parameter"]) == ["Intercept", "f[v]", "cs1_x", "cs2_x", "cs3_x"]
    own = {"cs: slope": "Normal(0, 1)", "cs2: x": "Normal(0, 2)"}
    stated = hm.model("r ~ f + cs(x)", frame, "acat", priors=own).prior_summary().set_index("parameter")["prior"]
    assert list(stated[["cs1_x", "cs2_x", "cs3_x"]]) == ["Normal(0, 1)", "Normal(0, 2)", "Normal(0, 1)"]


@pytest.fixture(scope="module")
def drawn(frame):
    """A posterior that was made up, and its draws."""
    rng = np.random.default_rng(5)
    draws = {
        "Intercept": rng.normal(size=(1, 60, 3)),
        "x": rng.normal(0.5, 0.2, (1, 60)),
        "1|g_sigma": np.ones((1, 60)),
    }
    draws |= {f"cs{k}_f": rng.normal(size=(1, 60, 1)) for k in (1, 2, 3)}
    draws |= {f"cs{k}_1|g": rng.normal(0.0, 0.3, (1, 60, 5)) for k in (1, 2, 3)}
    draws |= {f"cs{k}_1|g_sigma": np.full((1, 60), 0.3) for k in (1, 2, 3)}
    draws |= {"1|g": rng.normal(0.0, 0.3, (1, 60, 5))}
    dims = {name: ("chain", "draw", *(f"{name}_dim" for _ in range(own.ndim - 2))) for name, own in draws.items()}
    model = hm.model("r ~ x + (1 | g) + cs(f) + (cs(1) || g)", frame, "sratio")
    return model.with_draws(xr.Dataset({name: (dims[name], own) for name, own in draws.items()})), draws


def test_answers_read_what_moves_each_threshold(frame, drawn):
    fit, draws = drawn
    x, g = frame["x"].to_numpy(), frame["g"].to_numpy()
    for place, f in enumerate((0, 1)):
        moves = [draws[f"cs{k}_f"][0][:, :1] * f + draws[f"cs{k}_1|g"][0][:, g] for k in (1, 2, 3)]
        eta = draws["x"][0][:, None] * x + draws["1|g"][0][:, g]
        chances = by_hand("sratio", eta, draws["Intercept"][0][:, None, :], np.stack(moves, axis=2))
        for outcome, weights in ((">=3", [0, 0, 1, 1]), ("mean", [1, 2, 3, 4]), (2, [0, 1, 0, 0])):
            answer = fit.rates("f", outcome=outcome).draws.to_numpy().reshape(60, 2)
            np.testing.assert_allclose(answer[:, place], (chances @ weights).mean(axis=1), atol=1e-12)
    thresholds = fit.coef().draws["g"].sel(term="Intercept[2]").to_numpy()[0]
    lowered = draws["Intercept"][0][:, 1:2] - draws["1|g"][0] - draws["cs2_1|g"][0]
    np.testing.assert_allclose(thresholds, lowered, rtol=1e-12)
    assert "cs2_f[v]" in fit.fixef().index


def test_fits_with_specific_effects_are_stored(drawn, tmp_path):
    fit, _ = drawn
    fit.save(tmp_path / "fit.nc")
    again = hm.load(tmp_path / "fit.nc")
    np.testing.assert_array_equal(again.rates("f", outcome="mean").draws, fit.rates("f", outcome="mean").draws)
    assert again.model.formula == fit.model.formula == "r ~ x + (1 | g); cs ~ f + (1 || g)"


def test_families_with_specific_effects_pickle():
    family = read_family("sratio").of_categories((1, 2, 3)).with_parameters(["cs", "disc"])
    again = pickle.loads(pickle.dumps(family))
    assert again.auxiliary == ("Intercept[1]", "Intercept[2]", "cs1", "cs2", "disc")
    at = np.array([0.3]), [-0.5, 0.5, 0.1, -0.2, 2.0]
    np.testing.assert_array_equal(again.observation_density((2.0,), *at), family.observation_density((2.0,), *at))
    moved = read_family("sratio").of_categories((1, 2, 3)).observation_density((2.0,), 2.0 * at[0], [-1.2, 1.4])
    np.testing.assert_allclose(family.observation_density((2.0,), *at), moved, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("y ~ x + cs(z)", "y ~ x; cs ~ z"),
        ("y ~ cs(a) + cs(b) + x", "y ~ x; cs ~ a + b"),
        ("y ~ cse(a * b)", "y ~ 1; cs ~ a + b + a:b"),
        ("y ~ x + cs(z) + (cs(1) | g)", "y ~ x; cs ~ z + (1 | g)"),
        ("y ~ x + (cs(0 + z) || g) + (1 | g)", "y ~ x + (1 | g); cs ~ 1 + (0 + z || g)"),
        ("bf(y ~ x + cs(z), disc ~ 0 + x)", "y ~ x; cs ~ z; disc ~ 0 + x"),
    ],
)
def test_cs_is_the_linear_predictor_of_a_parameter(text, reading):
    assert str(parse(text)) == reading
    assert parse(reading) == parse(text)
    written = hm.translate(text, "brms")
    assert "cs(" in written
    assert parse(written) == parse(text)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("y ~ x * cs(z)", r"stand alone in the sum: \+ cs\(x\)"),
        ("y ~ cs(z):x", r"with products inside, \+ cs\(x \* z\)"),
        ("y ~ (x + cs(z))", "stand alone in the sum"),
        ("y ~ x + (x + cs(1) | g)", r"a bar of their own: \(x \| g\) \+ \(cs\(1\) \| g\)"),
        ("y ~ x; disc ~ cs(z)", "stands in the formula of the response"),
        ("y ~ cs(z); cs ~ x", "not in both"),
        ("y ~ cs(offset(z))", "takes terms alone"),
    ],
)
def test_cs_stands_where_it_means_something(text, match):
    with pytest.raises(FormulaError, match=match):
        parse(text)


def test_families_without_free_thresholds_refuse_it_with_what_is_nearest(frame):
    with pytest.raises(ModelError, match=r"have to increase.*Say family='sratio', 'cratio' or 'acat'"):
        hm.model("r ~ x + cs(f)", frame, "cumulative")
    with pytest.raises(ModelError, match=r"the family poisson has none.*write the terms without cs\(\)"):
        hm.model("r ~ x + cs(f)", frame, "poisson")
    model = hm.model("r ~ x + cs(f)", frame, "acat")
    with pytest.raises(ModelError, match=r"effects that differ between thresholds, cs\(\), are not covered"):
        model.fit(engine="compiled", draws=10, progress=False)
    assert any("effects of its own on each threshold, cs1 to cs3" in notice for notice in model.notices)
    assert r"(\mu_i + \mathit{cs}_{k,i}) - \tau_k" in model.explain().latex
    assert "coefficients of their own for cs1 to cs3" in str(model.explain())
