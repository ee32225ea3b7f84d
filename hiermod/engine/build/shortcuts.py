"""Shortcuts through Numba's front end: what it does for Python at large, and functions of numbers do not need.

They change how long the front end takes, and nothing of what comes out of it. They are taken in the process that lowers
the kernels alone.
"""

from __future__ import annotations

import contextlib
import functools
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
    _leave_others_out()
    _tell_nobody()
    _remember_types()
    _remember_what_stays()
    _list_variables_by_kind()
    _let_variables_live()
    return _pipeline()


def _pipeline() -> type:
    """A pipeline without the passes for closures, `with`, `raise`, literals, array expressions and reports."""
    from numba.core import compiler, typed_passes, untyped_passes

    left_out = {
        untyped_passes.WithLifting, untyped_passes.InlineClosureLikes, untyped_passes.RewriteSemanticConstants,
        untyped_passes.InlineInlinables, untyped_passes.DeadBranchPrune, untyped_passes.RewriteDynamicRaises,
        untyped_passes.MakeFunctionToJitFunction, untyped_passes.FindLiterallyCalls, untyped_passes.LiteralUnroll,
        untyped_passes.LiteralPropagationSubPipelinePass, typed_passes.InlineOverloads,
        typed_passes.NopythonRewrites, typed_passes.AnnotateTypes, typed_passes.DumpParforDiagnostics,
    }  # fmt: skip
    passes = _passes()

    class Kernels(compiler.CompilerBase):
        """Of functions of numbers and views."""

        def define_pipelines(self) -> list[Any]:
            every = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
            needed = passes("kernels")
            for each, description in every.passes:
                if each not in left_out:
                    needed.add_pass(each, description)
            needed.finalize()
            return [needed]

    return Kernels


def _passes() -> type:
    """What runs passes, one after the other, and neither times nor describes nor checks them."""
    from numba.core import compiler_machinery, postproc, transforms

    registered = compiler_machinery._pass_registry

    class Passes(compiler_machinery.PassManager):
        """Of one function."""

        def _runPass(self, index: int, one: Any, state: Any) -> None:  # noqa: N802
            one.analysis = self._analysis
            changed = [one.run_initialization(state), one.run_pass(state), one.run_finalizer(state)]
            if registered.get(type(one)).mutates_CFG:
                if any(changed):
                    postproc.PostProcessor(state.func_ir).run()
                else:
                    state.func_ir.blocks = transforms.canonicalize_cfg(state.func_ir.blocks)

    return Passes


def _leave_others_out() -> None:
    """Look once, and not for each function, for what Numba implements; load no other package's extensions of it."""
    from numba.core import cpu, entrypoints
    from numba.core.typing import context

    entrypoints._already_initialized = True
    for kind in (cpu.CPUContext, context.Context):
        kind.load_additional_registries = functools.cache(kind.load_additional_registries)


def _tell_nobody() -> None:
    """Say nothing of beginnings and ends, and keep neither warnings nor the places of errors."""
    from numba.core import errors, event, lowering, typeinfer

    nothing = contextlib.nullcontext()
    for module in (errors, lowering, typeinfer):
        vars(module)["new_error_context"] = lambda *_, **__: nothing
    vars(errors)["WarningsFixer"].catch_warnings = lambda *_, **__: nothing
    event.start_event = event.end_event = lambda *_, **__: None


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


def _remember_what_stays() -> None:
    """Find sizes, names and signatures once."""
    from numba.core import base, types

    base._has_loc = functools.cache(base._has_loc)
    size_of, name_of = base.BaseContext.get_abi_sizeof, types.Record.__repr__
    sizes, names = dict[str, int](), dict[int, str]()

    def get_abi_sizeof(context: Any, kind: Any) -> int:
        name = str(kind)
        if name not in sizes:
            sizes[name] = size_of(context, kind)
        return sizes[name]

    def repr_(record: Any) -> str:
        if id(record) not in names:
            names[id(record)] = name_of(record)
        return names[id(record)]

    base.BaseContext.get_abi_sizeof, types.Record.__repr__ = get_abi_sizeof, repr_  # type: ignore[method-assign]


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


def _let_variables_live() -> None:
    """Say nowhere that a variable ends: numbers are not counted, and LLVM sees itself where they are of use."""
    from numba.core import postproc, transforms

    def run(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
        function = self.func_ir
        function.blocks, function.generator_info = transforms.canonicalize_cfg(function.blocks), None

    postproc.PostProcessor.run = run
