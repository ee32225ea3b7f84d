"""A hurdle's two parts are sampled apart: their densities add up to the joint one, and so do the posteriors."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hiermod as hm
from hiermod.engine.build.compile import library
from hiermod.engine.layout.hurdles import parts_of
from hiermod.engine.layout.problem import SmoothPlace, read_problem
from hiermod.engine.layout.program import public_coordinates
from hiermod.engine.layout.units import in_own_unit
from hiermod.sampling.by_parts import prepare
from hiermod.sampling.diagnostics import mean_sizes
from hiermod.sampling.native import placed
from hiermod.sampling.run import sample
from hiermod.sampling.settings import Settings

PRIORS = {"z": "HalfNormal(1)"}


def frame_of(rows=240, seed=3):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=rows), "z": rng.normal(size=rows), "g": rng.integers(0, 8, rows),
                          "h": rng.integers(0, 3, rows), "w": rng.integers(1, 4, rows)})  # fmt: skip
    above = rng.random(rows) < 1.0 / (1.0 + np.exp(-0.5 - rng.normal(size=8)[frame["g"]]))
    return frame.assign(
        p=np.where(above, rng.gamma(2.0, np.exp(0.4 * frame["x"] + 0.5 * rng.normal(size=8)[frame["g"]])), 0.0),
        c=np.where(above, 1 + rng.poisson(1.5, rows), 0),
    )


def problem_of(text, family, priors=None):
    return in_own_unit(read_problem(hm.model(text, frame_of(), family, priors=priors)._defined.spec))


def labels(problem):
    """What each public coordinate is of."""
    found = [("common", place) for place in problem.order[: problem.linear]]
    for factor in problem.factors:
        for own in factor.terms:
            name = own.curve.sd_name if isinstance(own, SmoothPlace) else tuple(e.name for e in own.term.effects)
            found += [(name, column, group) for column in range(own.columns) for group in range(factor.groups)]
    return [*found, *((each.name, each.place) for each in problem.hyperparameters)]


@pytest.mark.parametrize(("text", "family"), [
    ("p ~ x + z + (1 + x | g) + (1 | h); hu ~ z + (1 | g)", "hurdle_gamma"),
    ("p | weights(w) ~ x + (1 | g); sigma ~ x + (1 | g); hu ~ s(x, k=5) + z + (1 + x | g)", "hurdle_lognormal"),
    ("c ~ x + (1 | p | g); alpha ~ 1 + (1 | p | g); hu ~ offset(x) + (1 | h)", "hurdle_negbinomial"),
    ("c ~ x + z", "hurdle_poisson(hu=probit)"),
])  # fmt: skip
def test_the_densities_of_the_parts_add_up(text, family):
    functions = library().functions
    problem = problem_of(text, family, PRIORS if " z" in text.partition(";")[0] else None)
    parts = parts_of(problem)
    assert sum(part.dimension for part in parts) == problem.dimension
    whole, own = public_coordinates(problem, functions), [public_coordinates(part, functions) for part in parts]
    places = {label: place for place, label in enumerate(labels(problem))}
    assert len(places) == problem.dimension
    where = [np.array([places[label] for label in labels(part)]) for part in parts]
    differences = []
    for z in np.random.default_rng(5).normal(0.0, 0.6, (4, problem.dimension)):
        value, gradient = whole.log_density(z)
        apart = [program.log_density(z[at]) for program, at in zip(own, where, strict=True)]
        differences.append(value - sum(density for density, _ in apart))
        for (_, slope), at in zip(apart, where, strict=True):
            np.testing.assert_allclose(slope, gradient[at], rtol=1e-9, atol=1e-9 * np.abs(gradient).max())
    assert np.ptp(differences) < 1e-9 * max(1.0, abs(value))


@pytest.mark.parametrize("text", ["p ~ x + (1 | p | g); hu ~ x + (1 | p | g)", "p ~ 1; hu ~ x"])
def test_only_effects_across_the_parts_hold_them_together(text):
    assert len(parts_of(problem_of(text, "hurdle_gamma"))) == (1 if "p | g" in text else 2)
    assert len(parts_of(problem_of("c ~ x; zi ~ x", "zero_inflated_poisson"))) == 1


def test_both_ways_give_one_posterior_which_is_stored(tmp_path):
    model = hm.model("p ~ x + (1 | g); hu ~ x + (1 | g)", frame_of(), "hurdle_gamma")
    fit, spec = model.fit(seed=1, draws=400, chains=2, cores=1, progress=False), model._defined.spec
    assert any("sampled apart" in notice for notice in fit.notices)
    problem = in_own_unit(read_problem(spec))
    joint = sample(spec, placed(problem, print), Settings(seed=2, draws=400, chains=2, cores=1), progress=False).dataset
    assert list(fit.posterior) == list(joint)
    for name in joint:
        one, two = (each[name].to_numpy().reshape(2, -1, each[name][0, 0].size) for each in (fit.posterior, joint))
        errors = sum(own.var(axis=(0, 1)) / mean_sizes(own) for own in (one, two))
        assert (np.abs(one.mean(axis=(0, 1)) - two.mean(axis=(0, 1))) < 4.5 * np.sqrt(errors)).all(), name
    fit.save(tmp_path / "hurdle.nc")
    again = hm.load(tmp_path / "hurdle.nc")
    assert again.posterior.equals(fit.posterior)
    assert again.notices == fit.notices
    apart = fit.posterior[["x", "hu_x"]].to_dataarray().to_numpy().reshape(2, -1)
    assert abs(np.corrcoef(apart)[0, 1]) < 4.0 / np.sqrt(apart.shape[1])


def test_one_share_of_zeros_is_drawn_from_its_beta_distribution():
    frame = frame_of()
    fit = hm.fit("p ~ x", frame, "hurdle_gamma", priors={"hu": "Beta(2, 5)"}, seed=1, chains=2, cores=1, progress=False)
    draws, zeros = fit.posterior["hu"].to_numpy().ravel(), int((frame["p"] == 0).sum())
    assert stats.kstest(draws, stats.beta(2 + zeros, 5 + len(frame) - zeros).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 4.0 / np.sqrt(len(draws))


def test_an_interrupted_part_has_as_many_draws_of_the_other_beside_it():
    sampler = prepare(hm.model("p ~ x; hu ~ x", frame_of(), "hurdle_gamma")._defined.spec, print)

    class Interrupted:
        program = sampler.first.program

        def run(self, settings, progress):
            tree, _ = sampler.first.run(replace(settings, draws=30, chains=2), progress)
            return tree, True

    settings = Settings(draws=200, tune=50, chains=3, cores=1, seed=1, target_accept=0.8)
    tree, _ = sampler.run(replace(settings, draws=20), progress=False)
    assert sampler.run(replace(settings, draws=20, cores=2), progress=False)[0].equals(tree)
    tree, interrupted = replace(sampler, first=Interrupted()).run(settings, progress=False)
    assert interrupted
    assert dict(tree["posterior"].sizes) == dict(tree["sample_stats"].sizes) == {"chain": 2, "draw": 30}
