"""The kernels, typed and lowered by Numba into one module of LLVM for no processor in particular.

Numba as it is optimises and emits each function apart, with copies of all that it calls. Here it only types and lowers;
what comes out is linked once. Functions that were lowered before, and whose files are the same, are not lowered again
(`parts`): the module is the same, to the bit. This file, `parts` and `shortcuts` alone know Numba's inner parts. They
are changed on the way, so that it runs in a process of its own, which writes the bitcode to its standard output.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from hiermod.engine.build.bitcode import PREFIX, Bitcode, Origin, UnfitError, sources, system, unpacked
from hiermod.engine.build.parts import Parts
from hiermod.engine.build.shortcuts import take_shortcuts

if TYPE_CHECKING:
    from llvmlite import binding

NUMBA = ((0, 62), (0, 69))  # the versions whose inner parts are known: from the first to before the second
INLINED = 45  # LLVM's threshold
SIZE = 8  # bytes that say how long the bitcode is
OUTSIDE = {
    "malloc", "free", "pthread_create", "pthread_join",
    *("sqrt", "exp", "log", "log1p", "expm1", "pow", "fabs", "erfc", "lgamma"),
}  # fmt: skip
WITHOUT = {
    "_nrt": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}  # counts of references, calls from Python


def lowered(before: bytes = b"") -> tuple[Bitcode, bytes]:
    """The kernels' bitcode, made in a process of its own, and its parts for the next time.

    Parameters
    ----------
    before : bytes
        The parts of an earlier state of the sources.

    Raises
    ------
    UnfitError
        If Numba is not as this file knows it, or no process can be started.
    """
    try:
        return _in_another_process(before)
    except UnfitError:
        if not before:
            raise
        return _in_another_process(b"")


def _in_another_process(before: bytes) -> tuple[Bitcode, bytes]:
    run = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import main; main()"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    environment["PYTHONHASHSEED"] = "0"
    try:
        done = subprocess.run(
            run, input=before, env=environment, capture_output=True, check=True, start_new_session=True
        )  # Ctrl-C is for the process that waits
    except (OSError, TypeError) as error:
        raise UnfitError(f"no process can be started: {error}") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        raise UnfitError(f"the kernels cannot be lowered as one module: {lines[-1] if lines else error}") from error
    size = int.from_bytes(done.stdout[:SIZE], "big")
    return unpacked(done.stdout[SIZE : SIZE + size]), done.stdout[SIZE + size :]


def main() -> None:
    """Read parts from the standard input; write the size of the bitcode, the bitcode and its parts."""
    bitcode, parts = _lowered_here(sys.stdin.buffer.read())
    packed = bitcode.packed()
    sys.stdout.buffer.write(len(packed).to_bytes(SIZE, "big") + packed + parts)


def _lowered_here(before: bytes = b"") -> tuple[Bitcode, bytes]:
    import numba
    from llvmlite import binding

    known = tuple(int(part) for part in numba.__version__.split(".")[:2])
    if not NUMBA[0] <= known < NUMBA[1]:
        raise UnfitError(f"Numba {numba.__version__} is not known")
    parts = Parts(before)
    module = _linked(parts)
    _simplify(module)
    outside = {each.name for each in (*module.functions, *module.global_variables) if each.is_declaration}
    if unknown := sorted(name for name in outside if not name.startswith("llvm.") and name not in OUTSIDE):
        raise UnfitError(f"they need {', '.join(unknown)}")
    llvm = ".".join(str(part) for part in binding.llvm_version_info)
    return Bitcode(Origin(sources(), system(), llvm, numba.__version__), module.as_bitcode()), parts.packed()


def _linked(parts: Parts) -> binding.ModuleRef:
    """All functions in one module, where the entries alone are seen from outside."""
    from llvmlite import binding
    from numba import types
    from numba.core import bytecode, codegen, registry

    from hiermod.engine import kernels
    from hiermod.engine.kernels.record import ENTRIES

    kernels.NJIT.update(WITHOUT, pipeline_class=take_shortcuts())
    from hiermod.engine.kernels import entries

    class Library(codegen.JITCodeLibrary):
        """Takes a function as it is lowered, and neither optimises it nor links what it calls."""

        def add_llvm_module(self, module: binding.ModuleRef) -> None:
            module.data_layout = self._codegen._data_layout
            self._final_module.link_in(module)

        def finalize(self) -> None:
            self._finalized = True

        @functools.cached_property
        def code(self) -> bytes:
            return self._final_module.as_bitcode()

        @functools.cached_property
        def digest(self) -> str:
            self._ensure_finalized()
            return hashlib.sha256(self.code).hexdigest()

        def get_pointer_to_function(self, name: str) -> int:
            return 0

    class Codegen(codegen.JITCPUCodegen):
        """Emits nothing."""

        _library_class = Library

        def set_env(self, name: str, env: Any) -> None:
            """Nothing is there to be set."""

        def unserialize_library(self, library: Library) -> Library:
            """Parts are libraries already."""
            return library

    context = registry.cpu_target.target_context
    context._internal_codegen = Codegen("hiermod")
    bytecode.FunctionIdentity._unique_ids = itertools.repeat(1)  # names do not depend on what was lowered before
    context.add_dynamic_addr = _nowhere
    _forget_values()
    parts.attach()
    libraries: dict[str, bytes] = {}
    for name, count in ENTRIES.items():
        function, signature = getattr(entries, name), types.int64(*[types.int64] * count)
        function.compile(signature)
        made = function.overloads[signature.args]
        _gather(made.library, libraries)
        _gather(_entry(context, name, made.fndesc), libraries)
    module = binding.parse_assembly(str(context._internal_codegen._create_empty_module("engine")))
    for code in libraries.values():
        module.link_in(binding.parse_bitcode(code), preserve=True)
    for each in (*module.functions, *module.global_variables):
        if not each.is_declaration and each.name not in {PREFIX + name for name in ENTRIES}:
            each.linkage = "internal"
    module.verify()
    return module


def _forget_values() -> None:
    """Lower a function once, whatever constants it is called with: LLVM sees these where it inlines."""
    from numba import types
    from numba.core.dispatcher import Dispatcher

    template_of = Dispatcher.get_call_template

    def get_call_template(function: Any, args: Any, kws: Any) -> Any:
        return template_of(function, tuple(types.unliteral(each) for each in args), kws)

    Dispatcher.get_call_template = get_call_template  # type: ignore[assignment, method-assign]


def _nowhere(builder: Any, intaddr: int, info: Any) -> Any:
    """What stands for an object of this process. It is gone from the module, unless it is used, which is refused."""
    from llvmlite import ir
    from numba.core import cgutils

    return builder.load(cgutils.add_global_variable(builder.module, ir.PointerType(ir.IntType(8)), "an object"))


def _gather(library: Any, libraries: dict[str, bytes]) -> None:
    """The bitcode of a library and of those that it calls."""
    if library.digest not in libraries:
        libraries[library.digest] = library.code
        for other in library._linking_libraries:
            _gather(other, libraries)


def _entry(context: Any, name: str, described: Any) -> Any:
    """A library with a C function of an entry's name; kernels raise nothing, so that their status is not asked."""
    from llvmlite import ir

    library = context.codegen().create_library(PREFIX + name)
    module = library.create_ir_module(PREFIX + name)
    convention, number = context.call_conv, ir.IntType(64)
    kind = convention.get_function_type(described.restype, described.argtypes)
    function = ir.Function(module, ir.FunctionType(number, [number] * len(described.argtypes)), PREFIX + name)
    builder = ir.IRBuilder(function.append_basic_block())
    callee = ir.Function(module, kind, described.llvm_func_name)
    _, out = convention.call_function(builder, callee, described.restype, described.argtypes, function.args)
    builder.ret(out)
    library.add_ir_module(module)
    return library


def _simplify(module: binding.ModuleRef) -> None:
    """Inline and simplify, as far as that is the same for all processors."""
    from llvmlite import binding

    machine = binding.Target.from_triple(binding.get_process_triple()).create_target_machine(cpu="", features="")
    options = binding.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False
    options.loop_interleaving = options.loop_unrolling = False
    options.inlining_threshold = INLINED
    builder, names = binding.create_pass_builder(machine, options), binding.create_new_module_pass_manager()
    names.add_strip_symbols_pass()  # they depend on what was lowered before
    builder.getModulePassManager().run(module, builder)
    names.run(module, builder)
