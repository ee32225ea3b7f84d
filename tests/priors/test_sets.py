"""Priors of sets of slopes: how they are read and printed, what is refused, and the densities that they are made of."""

import pickle

import numpy as np
import pytest
from scipy import stats

from hiermod.errors import PriorError
from hiermod.priors.sets import SetPrior, read_set

BRMS = {  # brms's names and defaults
    "Horseshoe": {"df": 1.0, "scale_global": 1.0, "df_global": 1.0, "scale_slab": 2.0, "df_slab": 4.0},
    "R2D2": {"mean_R2": 0.5, "prec_R2": 2.0, "cons_D2": 0.5},
}


def density_of(prior, x):
    """The density of the parameter, its constant included."""
    return np.exp(prior.log_density(x) + prior.log_constant)


@pytest.mark.parametrize("name", BRMS)
@pytest.mark.parametrize("text", ["{}()", " {}( ) ", "{}()  # as in the paper"])
def test_numbers_that_are_not_given_are_brms_s(name, text):
    for spelled in (name, name.lower(), name.upper()):
        assert dict(read_set("slope", text.format(spelled)).numbers) == BRMS[name]


def test_numbers_are_given_in_order_or_by_name():
    read = read_set("slope", "Horseshoe(3, 0.1, df_slab = 5, df_global=2)")
    assert dict(read.numbers) == {
        "df": 3.0, "scale_global": 0.1, "df_global": 2.0, "scale_slab": 2.0, "df_slab": 5.0
    }  # fmt: skip
    assert read_set("slope", "horseshoe(3,.1,2,2.,5)") == read
    assert read_set("slope", "R2D2(1e-1, prec_R2=3)").numbers == {"mean_R2": 0.1, "prec_R2": 3.0, "cons_D2": 0.5}
    assert read_set("slope", read) is read


@pytest.mark.parametrize("text", ["Normal(0, 1)", "Horseshoe", "Horseshoes()", "R2D2() + 1", 3.0, None])
def test_other_priors_are_left_to_others(text):
    assert read_set("slope", text) is None


def test_texts_of_more_than_400_characters_are_left_to_others():
    whole = "R2D2()" + " " * 394
    assert len(whole) == 400
    assert read_set("slope", whole) is not None
    assert read_set("slope", whole + " ") is None


@pytest.mark.parametrize("text", ["Horseshoe(2, scale_global=0.125)", "R2D2(0.25, 3, 1.5)  # of last year"])
def test_a_prior_is_printed_as_it_is_read(text):
    read = read_set("slope", text)
    again = read_set("slope", str(read))
    assert again == read
    assert again.origin == read.origin == text.partition("# ")[2]
    assert str(again) == str(read)
    assert pickle.loads(pickle.dumps(read)) == read


def test_numbers_are_described_by_their_names():
    read = read_set("slope", "R2D2(mean_R2=0.123456)  # of last year")
    assert read.describe() == "R2D2(mean_R2=0.1235, prec_R2=2, cons_D2=0.5)"
    assert str(read) == "R2D2(mean_R2=0.123456, prec_R2=2, cons_D2=0.5)  # of last year"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Horseshoe(par_ratio=0.1)", r"'a': par_ratio in .* is no number of Horseshoe: write scale_global = par_ratio"),
        ("R2D2(autoscale=TRUE)", r"autoscale in .* is no number of R2D2: slopes are always in units of sigma"),
        ("Horseshoe(main=1)", r"main in .* every prior has numbers of its own"),
        ("R2D2(half)", r"'a': 'half' in 'R2D2\(half\)' is not a number. Expected R2D2\(mean_R2, prec_R2, cons_D2\)"),
        ("R2D2(cons_D2=a)", r"'cons_D2=a' in .* is not a number"),
        ("R2D2(0.5,)", r"'' in .* is not a number"),
        ("R2D2(0.5, 2, 0.5, 1)", r"has too many numbers. Expected R2D2\(mean_R2, prec_R2, cons_D2\), each with brms's"),
        ("R2D2(df=1)", r"'df' in .* is unknown or given twice"),
        ("R2D2(0.5, mean_R2=0.3)", r"'mean_R2' in .* is unknown or given twice"),
        ("R2D2(1)", r"mean_R2 must be between 0 and 1 in 'R2D2\(1\)'"),
        ("R2D2(0)", r"mean_R2 must be between 0 and 1"),
        ("R2D2(prec_R2=0)", r"prec_R2 must be above 0"),
        ("Horseshoe(df=-1)", r"df must be above 0 in 'Horseshoe\(df=-1\)'"),
        ("Horseshoe(scale_global=1e-200)", r"1e-200"),
    ],
)  # fmt: skip
def test_what_is_refused(text, message):
    with pytest.raises(PriorError, match=message):
        read_set("a", text)


def test_a_horseshoe_is_made_of_half_t_and_inverse_gamma_distributions():
    """The slab's variance is scaled-inverse-chi-squared: df_slab * scale_slab² over a chi-squared number."""
    prior, x = SetPrior("Horseshoe", (2.0, 0.3, 3.0, 1.5, 6.0)), np.linspace(0.05, 4.0, 9)
    own = prior.hyperpriors()
    assert list(own) == ["global", "slab", "local"]
    np.testing.assert_allclose(density_of(own["global"], x), 2.0 * stats.t.pdf(x / 0.3, 3.0) / 0.3, rtol=1e-8)
    np.testing.assert_allclose(density_of(own["local"], x), 2.0 * stats.t.pdf(x, 2.0), rtol=1e-8)
    ratio = 6.0 * 1.5**2 / x**2
    slab = stats.chi2.pdf(ratio, 6.0) * 2.0 * ratio / x
    np.testing.assert_allclose(density_of(own["slab"], x), slab, rtol=1e-8)
    assert prior.moments == 6.0


def test_r2d2_is_made_of_a_beta_and_a_dirichlet():
    """Powers of R² / (1 - R²) have a mean below the second number of the Beta, those of a slope below twice that."""
    prior, x = SetPrior("R2D2", (0.3, 4.0, 0.7)), np.linspace(0.1, 0.9, 9)
    own = prior.hyperpriors()
    assert list(own) == ["R2", "phi"]
    np.testing.assert_allclose(density_of(own["R2"], x), stats.beta.pdf(x, 1.2, 2.8), rtol=1e-8)
    assert (own["phi"].name, own["phi"].arguments) == ("Dirichlet", (0.7,))
    assert prior.moments == pytest.approx(2.0 * 2.8)


def test_origins_are_no_part_of_a_prior():
    assert read_set("a", "R2D2()  # of one") == read_set("a", "R2D2()  # of another")
    assert hash(read_set("a", "R2D2()  # of one")) == hash(read_set("a", "R2D2()"))
