"""What of the response is asked for, and estimates where it has no posterior mean."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from answer_tools import with_made_up_draws

import hiermod as hm
from hiermod.errors import AnswerError

RNG = np.random.default_rng(5)
FRAME = pd.DataFrame({"arm": np.repeat(["a", "b"], 30), "g": np.tile(list("pqr"), 20), "y": RNG.normal(3.0, 1.0, 60)})


def fit_of(family="gaussian"):
    frame = FRAME.assign(y=np.exp(FRAME["y"] / 3.0))
    return with_made_up_draws(hm.model("y ~ arm + (1 | g)", frame, family))


def never(outcome, priors, averaged):
    """The mean has no posterior mean, and nothing has that is averaged over groups."""
    return outcome == "median" and not averaged


@pytest.fixture
def heavy():
    """A fit of a family whose mean has no posterior mean."""
    fit = fit_of()
    posterior = fit._posterior
    family = replace(posterior.spec.family, has_posterior_mean=never)
    fit._posterior = replace(posterior, spec=replace(posterior.spec, family=family))
    return fit


def test_the_median_of_a_symmetric_family_is_its_mean():
    fit = fit_of()
    for question in ("rates", "predict"):
        mean, median = getattr(fit, question)(), getattr(fit, question)(outcome="median")
        np.testing.assert_array_equal(mean.draws, median.draws)
        assert (mean.question.measure.name, median.question.measure.name) == ("mean y", "median y")


def test_a_family_without_a_simple_median_refuses():
    with pytest.raises(AnswerError, match="no median of family gamma"):
        fit_of("gamma").effect("arm", outcome="median")
    with pytest.raises(AnswerError, match=r"outcome='mode'\. Did you mean|outcome='mode'\."):
        fit_of("gamma").rates(outcome="mode")


def test_without_a_posterior_mean_estimates_are_medians(heavy):
    for answer in (heavy.rates(by="arm"), heavy.effect("arm"), heavy.predict(), heavy.predict(kind="response")):
        middle = np.median(answer.draws.stack(sample=("chain", "draw")), axis=-1)
        np.testing.assert_allclose(answer.table["estimate"], middle, rtol=1e-12)
        assert "the mean of y has no posterior mean" in repr(answer)
        assert "outcome='median'" in answer._repr_html_().replace("&#x27;", "'")
        assert "posterior medians" in answer.to_markdown()


def test_what_has_a_posterior_mean_is_estimated_by_it(heavy):
    for answer in (
        heavy.rates(by="arm", outcome="median"), heavy.effect("arm", scale="link"), heavy.predict(kind="link"),
        heavy.effect("arm", outcome="median"),
    ):  # fmt: skip
        mean = answer.draws.stack(sample=("chain", "draw")).mean("sample")
        np.testing.assert_allclose(answer.table["estimate"], mean, rtol=1e-12)
    assert np.isfinite(heavy.effect("arm", outcome="median").table["expected_loss"]).all()
    assert heavy.rates(groups="population", outcome="median").question.remark


def test_there_is_no_expected_loss_without_a_posterior_mean(heavy, capsys):
    assert heavy.effect("arm").table["expected_loss"].isna().all()
    best = heavy.best("arm")
    assert best["expected_loss"].isna().all()
    assert best["prob_best"].sum() == pytest.approx(1.0)
    assert "estimates are posterior medians" in capsys.readouterr().err
    with pytest.raises(AnswerError, match=r"decide\(\) weighs expected losses.*outcome='median', which has both"):
        heavy.decide("arm", loss=0.1)
    assert len(heavy.decide("arm", loss=0.1, outcome="median").table) == 1


def test_sentences_leave_out_a_loss_that_does_not_exist(heavy):
    from hiermod.show.sentences import best_sentences, outcome_of

    (sentence,) = best_sentences(heavy.best("arm"), outcome_of(heavy._posterior.spec.formula.response, is_rate=False))
    assert "lose" not in sentence
    assert isinstance(heavy.shrinkage(), pd.DataFrame)
    assert isinstance(heavy, hm.Fit)
