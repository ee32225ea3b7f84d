"""Models in words and equations."""

import re

import pandas as pd
import pytest

import hiermod as hm
from hiermod.cli import main


@pytest.fixture(scope="module")
def trial():
    return pd.DataFrame(
        {
            "won": [3, 5, 2, 6, 1, 4],
            "tries": 8,
            "arm": list("abcabc"),
            "age": [30.0, 41.0, 22.0, 54.0, 63.0, 37.0],
            "site_1": list("uuvvww"),
            "hours": [1.0, 2.0, 1.0, 2.0, 1.0, 2.0],
        }
    )


def test_a_model_in_words(trial):
    text = str(hm.model("won/tries ~ C(arm, sum) * age + poly(age, 2) + (1 + age || site_1)", trial).explain())
    for part in (
        "brms:  won | trials(tries) ~",
        "won successes out of tries trials, binomial. The terms add up to its log odds.",
        "C(arm, 'sum') (3 levels) by sum contrasts",
        "poly(age, 2) as 2 numbers learned from the rows",
        "vary over the 3 levels of site_1, independently",
        "Columns: 'won', 'tries', 'arm', 'age', 'site_1'.",
        "sd(age|site_1)",
    ):
        assert part in text, part


FAMILIES = {
    "negbinomial": ("won", "variance is mu + mu²/alpha", r"\operatorname{NegBinomial}(\mu_i, \alpha)"),
    "student": ("age", "up to its location.\nIt has nu degrees", r"\operatorname{StudentT}(\nu, \mu_i, \sigma)"),
    "gamma": ("age", "shape is alpha", r"\operatorname{Gamma}(\alpha, \alpha / \mu_i)"),
    "beta_binomial": ("won/tries", "a draw from Beta(mu·kappa", r"\operatorname{BetaBinomial}(n_i, \mu_i \kappa"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_explained_with_its_parameters(trial, family):
    left, words, equation = FAMILIES[family]
    explanation = hm.model(f"{left} ~ arm + (1 | site_1)", trial, family).explain()
    assert words in explanation.text
    assert equation in explanation.latex
    for name in {"negbinomial": ["alpha"], "student": ["sigma", "nu"], "gamma": ["alpha"]}.get(family, ["kappa"]):
        assert re.search(rf"^ *{name} ", explanation.text, re.MULTILINE)


def test_equations_have_balanced_braces_and_escaped_names(trial):
    for formula, options in (
        ("won/tries ~ arm + (1 + age | site_1)", {}),
        ("age ~ arm + offset(hours) + (1 | site_1)", {}),
        ("won ~ arm + I(age^2)", {"family": "poisson"}),
        ("won/tries ~ (1 | site_1)", {"pooling": "beta"}),
        *((f"{left} ~ arm + (1 | site_1)", {"family": family}) for family, (left, _, _) in FAMILIES.items()),
    ):
        explanation = hm.model(formula, trial, **options).explain()
        latex = explanation._repr_latex_()
        bare = re.sub(r"\\[{}]", "", latex)
        assert bare.count("{") == bare.count("}")
        assert latex.startswith(r"$$\begin{aligned}")
        assert r"site\_1" in latex or "site_1" not in formula
        assert not re.search(r"(?<!\\)site_1", latex)


def test_the_command_explains_with_data_and_without(trial, tmp_path, capsys):
    assert main(["explain", "won/tries ~ . + log(age):arm + offset(hours) + (1 | site_1/arm)"]) == 0
    out = capsys.readouterr().out
    assert "all other columns but the grouping factors" in out
    assert "the product of log(age) and arm" in out
    assert "occurring combinations of site_1, arm" in out
    path = tmp_path / "trial.csv"
    trial.to_csv(path, index=False)
    assert main(["explain", "won/tries ~ arm + (1 | site_1)", str(path), "--family", "binomial(probit)"]) == 0
    captured = capsys.readouterr()
    assert "arm (3 levels) by indicators of its other levels; the reference is 'a'" in captured.out
    assert "binomial(probit). The terms add up to its probit" in captured.out
    assert main(["explain", "won ~ arm", str(path), "--family", "negbinomial()"]) == 0
    assert "negbinomial. The terms add up to its log of the mean.\nWith mean mu" in capsys.readouterr().out
    assert main(["explain", "won/tries ~ arm +"]) == 1
    assert "A term was expected" in capsys.readouterr().err
