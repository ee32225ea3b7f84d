import pytest

from hiermod.data.examples import example


@pytest.fixture
def country():
    return example("country")
