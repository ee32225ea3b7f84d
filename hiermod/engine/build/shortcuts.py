"""Shortcuts through Numba's front end: what it does for Python at large, and functions of numbers do not need.

They change how long the front end takes, and nothing of what comes out of it. They are taken in the process that lowers
the kernels alone.
"""

from __future__ import annotations

import gc
from typing import Any


def take_shortcuts() -> type:
    """Let this process type functions of numbers quickly.

    Returns
    -------
    type
        The pipeline of passes, for `numba.njit(pipeline_class=...)`.

    Raises
    ------
    ImportError, AttributeError
        If Numba is not as this file knows it.
    """
    gc.disable()  # the process ends soon
    _remember_types()
    _list_variables_by_kind()
    return _pipeline()


def _pipeline() -> type:
    """A pipeline without the passes for closures, `with`, `raise`, literals, array expressions and reports."""
    from numba.core import compiler, typed_passes, untyped_passes

    left_out = {
        untyped_passes.WithLifting, untyped_passes.InlineClosureLikes, untyped_passes.RewriteSemanticConstants,
        untyped_passes.DeadBranchPrune, untyped_passes.RewriteDynamicRaises,
        untyped_passes.MakeFunctionToJitFunction, untyped_passes.FindLiterallyCalls, untyped_passes.LiteralUnroll,
        untyped_passes.LiteralPropagationSubPipelinePass, typed_passes.InlineOverloads,
        typed_passes.NopythonRewrites, typed_passes.AnnotateTypes, typed_passes.DumpParforDiagnostics,
    }  # fmt: skip

    class Kernels(compiler.CompilerBase):
        """Of functions of numbers and views."""

        def define_pipelines(self) -> list[Any]:
            every = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
            needed = compiler.PassManager("kernels")
            for each, description in every.passes:
                if each not in left_out:
                    needed.add_pass(each, description)
            needed.finalize()
            return [needed]

    return Kernels


def _remember_types() -> None:
    """Find what an operation on numbers gives once, and not at each place where it stands."""
    from numba.core import types

    base = types.functions.BaseFunction
    search, found = base.get_call_type, dict[tuple[int, Any], tuple[Any, Any]]()

    def get_call_type(function: Any, context: Any, args: Any, kws: Any) -> Any:
        if kws or not all(isinstance(each, (types.Number, types.Boolean)) for each in args):
            return search(function, context, args, kws)
        key = (id(function), args)
        if key not in found:
            found[key] = (function, search(function, context, args, kws))  # the function, so that its id stays its own
        return found[key][1]

    base.get_call_type = get_call_type  # type: ignore[method-assign, assignment]


def _list_variables_by_kind() -> None:
    """List an instruction's variables by the types of its parts, not by asking each part what it is."""
    from numba.core import ir

    without, of_parts = set[type](), {dict, list, tuple}

    def variables(instruction: Any, part: Any) -> list[Any]:
        kind = type(part)
        if kind is ir.Var:
            return [part]
        if kind in without:
            return []
        if kind in of_parts:
            held = part.values() if kind is dict else part
            return [each for one in held for each in variables(instruction, one)]
        if isinstance(part, ir.Inst):
            return list(part.list_vars())
        without.add(kind)
        return []

    ir.Inst._rec_list_vars = variables
