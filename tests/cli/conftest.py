"""The data that ``hiermod compare`` is run on."""

import pytest

import hiermod as hm


@pytest.fixture(scope="session")
def trial(tmp_path_factory):
    path = tmp_path_factory.mktemp("compare") / "trial.csv"
    hm.example("country").to_csv(path, index=False)
    return path
