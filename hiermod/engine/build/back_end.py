"""Bitcode optimised and emitted for a processor, and the emitted object in memory; by llvmlite alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import llvmlite
from llvmlite import binding

from hiermod.engine.build.bitcode import PREFIX, Bitcode, UnfitError
from hiermod.engine.kernels.record import ENTRIES


@dataclass(frozen=True)
class Tuning:
    """How LLVM optimises; `benchmarks/kernels.py` compares."""

    level: int = 3
    unrolling: bool = False
    interleaving: bool = True
    straight_lines: bool = False  # vectorisation of code without loops
    inlining: int = 45  # the threshold


CHOSEN = Tuning()


@dataclass(frozen=True)
class Processor:
    """What code is emitted for."""

    name: str
    features: str


def this_processor() -> Processor:
    """The one at hand."""
    return Processor(binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())


def versions() -> str:
    """Of what emits code."""
    return f"llvmlite {llvmlite.__version__}, LLVM {'.'.join(str(part) for part in binding.llvm_version_info)}"


def emitted(bitcode: Bitcode, processor: Processor, tuning: Tuning = CHOSEN) -> bytes:
    """An object file.

    Raises
    ------
    UnfitError
        If this LLVM cannot read the bitcode.
    """
    newest = int(bitcode.origin.llvm.split(".")[0])
    if newest > binding.llvm_version_info[0]:
        raise UnfitError(f"the engine's bitcode is that of LLVM {newest}, newer than {versions()}")
    machine = _machine(processor)
    try:
        module = binding.parse_bitcode(bitcode.code)
        module.triple, module.data_layout = binding.get_process_triple(), str(machine.target_data)
        module.verify()
    except RuntimeError as error:
        raise UnfitError(f"{versions()} cannot read the engine's bitcode: {error}") from error
    options = binding.create_pipeline_tuning_options(speed_level=tuning.level)
    options.loop_vectorization, options.slp_vectorization = True, tuning.straight_lines
    options.loop_unrolling, options.loop_interleaving = tuning.unrolling, tuning.interleaving
    options.inlining_threshold = tuning.inlining
    builder = binding.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return machine.emit_object(module)


def _machine(processor: Processor) -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_triple(binding.get_process_triple())
    relocation = "static" if target.name.startswith("x86") else "default"
    return target.create_target_machine(
        cpu=processor.name, features=processor.features, opt=3, reloc=relocation, codemodel="jitdefault", jit=True
    )


def loaded(code: bytes) -> tuple[Mapping[str, int], Any]:
    """Addresses of the functions in an object, and what keeps them in memory.

    Raises
    ------
    UnfitError
        If a function is not there.
    """
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine(this_processor()))
    try:
        engine.add_object_file(binding.ObjectFileRef.from_data(code))
    except RuntimeError as error:
        raise UnfitError(f"{versions()} cannot read the engine's object: {error}") from error
    engine.finalize_object()
    addresses = {name: engine.get_function_address(PREFIX + name) for name in ENTRIES}
    if not all(addresses.values()):
        raise UnfitError("the engine's object lacks functions")
    return addresses, engine
