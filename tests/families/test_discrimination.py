"""brms's `disc` of ordinal families: chances against their formulas, the model in PyMC, and answers, by hand."""

import pickle

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from modeling_tools import QUICK
from scipy import special, stats

import hiermod as hm
from hiermod.errors import AnswerError, DataError, ModelError
from hiermod.families.ordered import with_discrimination
from hiermod.families.registry import read_family

THRESHOLDS = (-0.7, 0.2, 1.4)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(1.0, 1.0, 90).round(1), "z": rng.integers(0, 2, 90)})
    frame = frame.assign(f=np.array(["u", "v"])[frame["z"]], g=rng.integers(0, 5, 90))
    latent = 0.8 * frame["x"].to_numpy() + rng.logistic(size=90) / np.exp(0.5 * frame["z"].to_numpy())
    return frame.assign(r=1 + (latent[:, None] > [-0.5, 0.5, 1.5]).sum(axis=1))


def cumulative(thresholds, eta, disc, below=special.expit):
    """Chances of the categories, the last axis."""
    edges = below(disc[..., None] * (thresholds - eta[..., None]))
    ends = np.zeros((*edges.shape[:-1], 1))
    return np.diff(np.concatenate([ends, edges, ends + 1.0], axis=-1), axis=-1)


def test_distances_to_thresholds_are_multiplied():
    eta, disc = np.linspace(-1.0, 2.0, 7), np.exp(np.linspace(-1.0, 1.0, 7))
    for link, below in (("logit", special.expit), ("probit", stats.norm.cdf)):
        family = with_discrimination(read_family(f"cumulative({link})").of_categories((1, 2, 3, 4)))
        expected = cumulative(np.array(THRESHOLDS), eta, disc, below)
        for place in range(4):
            found = family.observation_density((place + 1.0,), eta, [*THRESHOLDS, disc])
            np.testing.assert_allclose(found, np.log(expected[:, place]), rtol=1e-10)
        assert family.mean(eta, *THRESHOLDS, disc) == pytest.approx(expected @ [1.0, 2.0, 3.0, 4.0], rel=1e-12)
        less, at_most = family.cdf((3.0,), family.linear(eta), *THRESHOLDS, disc)
        np.testing.assert_allclose([less, at_most], np.cumsum(expected, axis=1)[:, 1:3].T, rtol=1e-10)
    drawn = family.draw_responses(np.full(20_000, 0.5), 1.0, [*THRESHOLDS, 2.0], np.random.default_rng(1))
    chances = cumulative(np.array(THRESHOLDS), np.array(0.5), np.array(2.0), stats.norm.cdf)
    counts = np.bincount(drawn.astype(int), minlength=5)[1:] / 20_000
    assert (np.abs(counts - chances) < 5.0 * np.sqrt(chances / 20_000)).all()


@pytest.mark.parametrize("family", ["cumulative", "cumulative(probit)", "sratio", "acat"])
def test_the_model_in_pymc_has_the_density_of_the_chances(frame, family):
    model = hm.model("r ~ x; disc ~ z + x", frame, family).pymc()
    outputs = {value.name: value for value in model.unobserved_value_vars}
    run = model.compile_fn([model.observedlogp, *(outputs[name] for name in ("Intercept", "x", "disc_z", "disc_x"))],
                           mode=QUICK)  # fmt: skip
    record = read_family(family).of_categories((1, 2, 3, 4))
    x, z, r = (frame[name].to_numpy(dtype=float) for name in ("x", "z", "r"))
    rng = np.random.default_rng(2)
    for _ in range(3):
        point = {name: value + 0.4 * rng.normal(size=np.shape(value)) for name, value in model.initial_point().items()}
        seen, thresholds, slope, own, by_x = run(point)
        disc = np.exp(own * z + by_x * x)
        expected = record.observation_density((r,), disc * slope * x, [disc * own for own in thresholds]).sum()
        assert float(seen) == pytest.approx(expected, rel=1e-9)


def test_answers_read_the_discrimination(frame):
    model = hm.model("r ~ x; disc ~ z + (1 | g)", frame, "cumulative")
    rng = np.random.default_rng(5)
    thresholds = np.sort(rng.normal(0.0, 1.0, (1, 80, 3)), axis=2)
    draws = {
        "Intercept": thresholds, "x": rng.normal(0.5, 0.2, (1, 80)), "disc_z": rng.normal(0.3, 0.2, (1, 80)),
        "disc_1|g_sigma": rng.uniform(0.1, 0.5, (1, 80)), "disc_1|g": rng.normal(0.0, 0.3, (1, 80, 5)),
    }  # fmt: skip
    dims = {name: ("chain", "draw", *(f"{name}_dim" for _ in range(own.ndim - 2))) for name, own in draws.items()}
    fit = model.with_draws(xr.Dataset({name: (dims[name], own) for name, own in draws.items()}))
    x, g = frame["x"].to_numpy(), frame["g"].to_numpy()
    for place, z in enumerate((0, 1)):
        disc = np.exp(draws["disc_z"][0][:, None] * z + draws["disc_1|g"][0][:, g])
        chances = cumulative(thresholds[0][:, None, :], draws["x"][0][:, None] * x, disc)
        for outcome, weights in ((">=3", [0, 0, 1, 1]), ("mean", [1, 2, 3, 4]), (2, [0, 1, 0, 0])):
            answer = fit.rates("z", outcome=outcome).draws.to_numpy().reshape(80, 2)
            np.testing.assert_allclose(answer[:, place], (chances @ weights).mean(axis=1), atol=1e-12)
        own = fit.rates("z", parameter="disc").draws.to_numpy().reshape(80, 2)
        np.testing.assert_allclose(own[:, place], disc.mean(axis=1), rtol=1e-12)
    with pytest.raises(AnswerError, match=r"fit\.varcorr\(\)"):
        fit.icc()


def test_the_discrimination_has_no_intercept_and_says_so(frame):
    model = hm.model("r ~ x; disc ~ f", frame, "cumulative")
    assert list(model.prior_summary()["parameter"]) == ["Intercept", "x", "disc_f[v]"]
    assert any(notice.startswith("disc is 1 where its numeric predictors are 0") for notice in model.notices)
    full = hm.model("r ~ x; disc ~ 0 + f", frame, "cumulative")
    assert any("has an indicator for each level: priors alone tell" in notice for notice in full.notices)
    assert model.formula == "r ~ x; disc ~ f"
    assert hm.translate("r ~ x; disc ~ z", "brms") == "bf(r ~ x, disc ~ 0 + z)"
    same = hm.model("bf(r ~ x, disc ~ 0 + z)", frame, 'cumulative("logit", link_disc = "log")')
    assert list(same.prior_summary()["parameter"]) == ["Intercept", "x", "disc_z"]
    assert r"\text{disc}_i (\tau_k - \mu_i)" in model.explain().latex
    with pytest.raises(ModelError, match="has no parameter 'disc'"):
        hm.model("x ~ z; disc ~ z", frame, "gaussian")
    with pytest.raises(DataError, match="has no parameter 'disc'"):
        hm.model("r ~ x", frame, "cumulative(logit, disc=probit)")
    with pytest.raises(ModelError, match="a linear predictor of disc is not covered"):
        model.fit(engine="compiled", draws=10, progress=False)


def test_families_with_a_discrimination_pickle(frame):
    family = with_discrimination(read_family("sratio").of_categories((1, 2, 3)))
    again = pickle.loads(pickle.dumps(family))
    assert again.auxiliary == ("Intercept[1]", "Intercept[2]", "disc")
    density = family.observation_density((2.0,), np.array([0.3]), [-0.5, 0.5, 2.0])
    np.testing.assert_allclose(again.observation_density((2.0,), np.array([0.3]), [-0.5, 0.5, 2.0]), density)
