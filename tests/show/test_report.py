"""Reports: what a page says, that it is complete in itself, and that no text of data becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import made_up_fits as made
import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import ModelError, StorageError
from hiermod.show.report.blocks import table_of_frame
from hiermod.show.report.mathml import mathml

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "</svg></style><script>alert(2)</script>",
    "&lt;b&gt; & $\\alpha$",
    "right\u202eleft\x1b[31m",
    "javascript:alert(3)",
)


class Page(HTMLParser):
    """Elements, attributes and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self.scripts, self._inside = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside.append(tag)

    def handle_endtag(self, tag):
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data):
        (self.scripts if self._inside[-1:] in (["script"], ["style"]) else self.text).append(data)


@pytest.fixture(scope="module")
def country_page(country_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "country.html"
    return country_fit.report(path)


def words(path):
    return " ".join(" ".join(Page(path.read_text()).text).split())


def test_a_page_starts_with_the_answer_in_words(country_page, country_fit):
    from hiermod.show.sentences import effect_sentences

    text = words(country_page)
    for sentence in effect_sentences(country_fit.effect("treated", by="country")):
        assert sentence in text
    assert text.index("The answer") < text.index("Effect of treated on the success rate by country")
    for part in ("Yes: all checks passed.", "StudentT(3, 0, 1)", "400 rows in 4 cells", "seed=1", "hiermod 0."):
        assert part in text


def test_a_page_is_small_and_complete_in_itself(country_page):
    text = country_page.read_text()
    assert len(text.encode()) < 1_000_000
    page = Page(text)
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "form", "base")
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)


def test_the_policy_lets_run_what_the_page_brings_alone(country_page):
    text = country_page.read_text()
    (policy,) = [own["content"] for tag, own in Page(text).elements if tag == "meta" and "http-equiv" in own]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_code_of_a_page_fits_the_same_again(country_fit, country_page):
    text = "".join(Page(country_page.read_text()).text)
    code = re.search(r"import hiermod as hm.*?\n\)", text, flags=re.DOTALL).group()
    names = {}
    exec(code.replace("data = ...", "data = hm.example('country')").replace("seed=1", "seed=1, progress=False"), names)
    assert names["fit"].fixef().equals(country_fit.fixef())


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    rows = [(level, arm, 5 + place, 20) for place, level in enumerate(HOSTILE) for arm in ("a", HOSTILE[0])]
    data = pd.DataFrame(rows, columns=["g", "</td><script>alert(4)</script>", "s", "n"])
    fit = made.made_up("s/n ~ `</td><script>alert(4)</script>` + (1 | g)", data)
    return fit.report(tmp_path_factory.mktemp("hostile") / "page.html", title="<script>alert(5)</script>")


def test_no_text_of_data_becomes_markup(hostile_page):
    text = hostile_page.read_text()
    page = Page(text)
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert [tag for tag, _ in page.elements].count("style") == 1
    assert not [tag for tag, own in page.elements if tag == "img" or any(name.startswith("on") for name in own)]
    shown = "".join(page.text)
    for level in HOSTILE[:5]:
        assert level in shown, level
    assert "49" not in re.findall(r"7 \* 7|\b49\b", shown)
    assert "\u202e" not in text
    assert "\x1b" not in text


def test_pictures_are_parts_of_the_page_with_words_and_ids_of_their_own(country_page):
    text = country_page.read_text()
    pictures = [ElementTree.fromstring(own) for own in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)]
    assert len(pictures) >= 4
    assert all(own.get("role") == "img" and own.get("aria-label") for own in pictures)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for own in pictures:
        inside = {element.get("id") for element in own.iter()}
        for element in own.iter():
            assert element.get("style") is None
            for name in ("href", "clip-path"):
                if (found := re.search(r"#([^)]+)", element.get(name) or "")) is not None:
                    assert found.group(1) in inside
    assert "#010203" not in text
    assert "currentColor" in text


def test_several_results_stand_on_one_page(country_fit, variants_fit, tmp_path):
    found = hm.compare({"a": country_fit, "b": country_fit}, progress=False)
    path = hm.report({"Trial": country_fit, "Arms": variants_fit, "Models": found,
                      "Lift": country_fit.effect("treated", scale="lift")}, tmp_path / "all.html")  # fmt: skip
    text = words(path)
    for part in ("4 results", "Trial", "Arms", "Which model predicts best?", "the same predictions", "a lift of"):
        assert part in text
    assert len(path.read_bytes()) < 3_000_000


def test_answers_that_are_given_are_the_ones_that_are_told(country_fit, tmp_path):
    path = country_fit.report(tmp_path / "one.html", answers=[country_fit.effect("treated", scale="odds_ratio")])
    text = words(path)
    assert "an odds ratio of" in text
    assert "by country (compared with" not in text


def test_other_models_have_pages_too(sleepstudy_fit, tmp_path):
    text = words(sleepstudy_fit.report(tmp_path / "sleep.html"))
    assert "the mean Reaction rises with Days: by" in text
    text = words(made.counts().report(tmp_path / "counts.html"))
    assert "Effect of k on the mean y (compared with u)" in text


def test_columns_behind_smooths_have_curves(tmp_path):
    x = np.linspace(1.0, 9.0, 60)
    frame = pd.DataFrame({"y": np.sin(x) + 0.3 * np.cos(40.0 * x), "x": x})
    fit = hm.fit("y ~ s(x)", frame, draws=100, chains=2, seed=1)
    text = words(fit.report(tmp_path / "smooth.html"))
    assert re.search(r"The mean y follows a curve in x: lowest -[\d.]+ at x (4\.5|5), highest [\d.]+ at x", text)


def test_numbers_of_one_meaning_have_one_number_of_decimals():
    frame = pd.DataFrame({"rate": [1.0, 0.8571, np.nan], "level": [100.02, 100.09, 100.05], "n": [3, 1200, 2]})
    table = table_of_frame(frame, "", index=False, aligned=True)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["1.000", "100.0200", "3"], ["0.857", "100.0900", "1,200"], ["–", "100.0500", "2"]
    ]  # fmt: skip


def test_a_failed_check_is_a_warning(tmp_path):
    draws = np.zeros((4, 50), dtype=bool)
    draws[0, :3] = True
    fit = made.made_up("success ~ treated", hm.example("country"), diverging=draws)
    text = words(fit.report(tmp_path / "bad.html"))
    assert "Not converged, so that numbers may be others in another run" in text
    assert "checks failed. The table says what to do." in text


def test_arms_of_other_sizes_are_warned_of(tmp_path):
    data = pd.DataFrame({"arm": ["a"] * 600 + ["b"] * 400, "y": ([0, 1] * 500)})
    assert "Sample-ratio mismatch" in words(made.made_up("y ~ arm", data).report(tmp_path / "srm.html"))


def test_refusals_of_reports(country_fit, tmp_path):
    with pytest.raises(ModelError, match="takes fits, answers or comparisons; here is nothing"):
        hm.report([], tmp_path / "page.html")
    with pytest.raises(ModelError, match="'DataFrame' is a DataFrame"):
        hm.report(pd.DataFrame(), tmp_path / "page.html")
    with pytest.raises(ModelError, match="answers= belong to the page of one fit"):
        hm.report([country_fit, country_fit], tmp_path / "page.html", answers=[country_fit.rates()])
    with pytest.raises(ModelError, match="answers= takes answers"):
        country_fit.report(tmp_path / "page.html", answers=["treated"])
    with pytest.raises(StorageError):
        country_fit.report(tmp_path / "nowhere" / "page.html")


def test_formulas_are_mathml():
    lines = (r"\text{a\_b <c>}_i &\sim \operatorname{N}(\mu^2_i, -5/2)", r"x &= \textstyle \weird")
    root = ElementTree.fromstring(mathml(r"\begin{aligned}" + " \\\\\n".join(lines) + r"\end{aligned}"))
    assert [row.tag for row in root.find("mtable")] == ["mtr", "mtr"]
    assert "".join(root.itertext()) == "a_b <c>i∼N(μi2,-5/2)x=weird"
    assert root.find(".//msubsup") is not None


def test_every_explanation_is_a_formula(country_fit, variants_fit, sleepstudy_fit):
    for fit in (country_fit, variants_fit, sleepstudy_fit, made.odd(), made.cbpp()):
        text = "".join(ElementTree.fromstring(mathml(fit.model.explain().latex)).itertext())
        assert "\\text" not in text
        assert "operatorname" not in text


MODULES = os.environ.get("NODE_MODULES_OF_TESTS", "")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
in_browser = pytest.mark.skipif(
    not (MODULES and Path(MODULES, "puppeteer-core").is_dir() and CHROMIUM and shutil.which("node")),
    reason="needs Node.js, Chromium, and NODE_MODULES_OF_TESTS with puppeteer-core and axe-core (make page-test)",
)


def read_in_browser(path):
    script = Path(__file__).parent / "browser" / "read_page.mjs"
    done = subprocess.run(["node", script, path], capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


@in_browser
@pytest.mark.slow
def test_a_page_in_a_browser(country_page):
    found = read_in_browser(country_page)
    assert (found["errors"], found["requests"], found["axe"]) == ([], [], [])
    assert found["sorted"] == sorted(found["sorted"])
    assert len(found["sorted"]) == 2
    assert max(found["overflow"].values()) <= 0
    assert found["opened"] < 1000.0


@in_browser
@pytest.mark.slow
def test_a_hostile_page_in_a_browser(hostile_page):
    found = read_in_browser(hostile_page)
    assert (found["errors"], found["requests"], found["axe"]) == ([], [], [])


@in_browser
@pytest.mark.slow
def test_a_page_of_forty_countries_and_four_arms_can_be_read_on_a_phone(tmp_path):
    """Estimates stand beside their countries and arms, none to the right of the screen."""
    rng = np.random.default_rng(1)
    arms = ["control", "blue button", "green button", "red button"]
    frame = pd.DataFrame([(f"Country {number} of the World", arm) for number in range(40) for arm in arms])
    frame = frame.set_axis(["country", "arm"], axis=1).assign(n=300, s=rng.binomial(300, 0.2, 160))
    fit = hm.fit("s/n ~ arm + (1 + arm | country)", frame, draws=200, seed=1, progress=False)
    path = fit.report(tmp_path / "wide.html")
    found = read_in_browser(path)
    assert (found["errors"], found["requests"], found["axe"], found["unseen"]) == ([], [], [], [])
    assert found["overflow"]["phone"] <= 0
    assert path.stat().st_size < 3_000_000
