"""What made a fit is known, stored with it, and enough to make it again."""

import json
import platform

import numpy as np

import hiermod as hm


def test_versions_machine_seed_and_data_are_known(country_fit):
    made = country_fit.provenance
    assert made.versions["hiermod"] == hm.__version__
    assert made.versions["numpy"] == np.__version__
    assert made.versions["python"] == platform.python_version()
    assert platform.machine() in made.platform
    assert (made.seed, made.rows, made.engine) == (1, 400, "compiled")
    assert json.loads(json.dumps(made.as_dict()))["settings"]["chains"] == 4
    assert f"fingerprint  {made.fingerprint}" in repr(made).splitlines()


def test_the_fingerprint_is_of_the_data(country_fit):
    data = hm.example("country")
    again = hm.model(country_fit.model.formula, data).with_draws(country_fit.idata).provenance
    assert again.fingerprint == country_fit.provenance.fingerprint
    assert (again.seed, again.engine, again.versions) == (None, "", {})
    data.loc[0, "success"] = 1 - data.loc[0, "success"]
    other = hm.model(country_fit.model.formula, data).with_draws(country_fit.idata).provenance
    assert other.fingerprint != again.fingerprint


def test_it_is_stored(country_fit, tmp_path, monkeypatch):
    country_fit.save(tmp_path / "fit.nc")
    before = country_fit.provenance
    monkeypatch.setattr("hiermod.sampling.storage.here", None)
    assert hm.load(tmp_path / "fit.nc").provenance == before


def test_a_fit_can_be_made_again_from_it(variants_fit):
    made = variants_fit.provenance
    settings = {name: value for name, value in made.settings.items() if value is not None and name != "target_accept"}
    again = hm.fit(
        "successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta", progress=False, **settings
    )
    assert again.posterior.equals(variants_fit.posterior)
