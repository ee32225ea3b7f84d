import pytest

from hiermod.data.sources.examples import example


@pytest.fixture
def country():
    return example("country")
