"""Which engine samples a model."""

from __future__ import annotations

from collections.abc import Callable

from hiermod.engine.layout.coverage import uncovered
from hiermod.errors import ModelError
from hiermod.modeling.pooled import BetaSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.run import Sampler, build_for_sampling


def choose_sampler(spec: Spec | BetaSpec, engine: str, announce: Callable[[str], None]) -> tuple[Sampler, str]:
    """The sampler of a model, and the notice that says which; `announce` hears of what takes long beforehand.

    Raises
    ------
    ModelError
        If the compiled engine was asked for and does not cover the model.
    """
    if engine == "pymc":
        return _pymc(spec), "engine: PyMC"
    why = "pooling='beta' is not covered" if isinstance(spec, BetaSpec) else uncovered(spec)
    if why is None:
        assert isinstance(spec, Spec)
        from hiermod.engine.nutpie_core import UnavailableError
        from hiermod.sampling.native import prepare

        try:
            return prepare(spec, announce), "engine: compiled"
        except UnavailableError as error:
            why = str(error)
    if engine == "compiled":
        raise ModelError(f"The compiled engine cannot take this model: {why}. Say engine='pymc', or leave it out.")
    return _pymc(spec), f"engine: PyMC ({why})"


def _pymc(spec: Spec | BetaSpec) -> Sampler:
    from hiermod.sampling.nuts import compile_model

    return compile_model(build_for_sampling(spec))
