"""LLVM, through llvmlite: from the text of kernels to machine code, or to the assembly of GPUs."""

from __future__ import annotations

import ctypes
import threading
import warnings
from collections.abc import Callable
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from typing import Any, NamedTuple

Function = Callable[..., int]
GPU = "nvptx64-nvidia-cuda"
# the compute capabilities that LLVM is asked for: a GPU runs the code of any before its own too
CAPABILITIES = (7, 0), (7, 5), (8, 0), (8, 6), (8, 9), (9, 0), (10, 0), (12, 0)


class Code(NamedTuple):
    """The machine code of a kernel."""

    kernel: Function  # called with its arguments; returns whether it has found NaN
    work: int  # the address of a function that does the same from memory that holds the arguments


_LOCK = threading.Lock()  # LLVM's objects are used by one thread at a time
_ENGINES: list[Any] = []  # the owners of the machine code, which lives as long as the process
_REFUSED: list[str] = []  # why this machine refuses to compile


def are_available() -> bool:
    """Tell whether kernels can be compiled here."""
    return not _REFUSED and _is_installed()


def why_not() -> str:
    """Return why kernels can't be compiled here, or nothing where they can."""
    if are_available():
        return ""
    missing = "llvmlite is not installed; pip install 'focalcore[fast]'"
    return _REFUSED[0] if _REFUSED else missing


def version() -> str:
    """Return the version of llvmlite, or nothing where it is not installed."""
    return metadata.version("llvmlite") if _is_installed() else ""


def refuse(reason: str) -> None:
    """Give up compiling in this process, and say so once."""
    if not _REFUSED:
        warnings.warn(
            f"focalcore goes on without compiled kernels, slower and with the same meaning: "
            f"{reason}. FOCALCORE_COMPILER=0 turns them off, and this warning",
            RuntimeWarning,
            stacklevel=2,
        )
    _REFUSED.append(reason)


@cache
def _is_installed() -> bool:
    return find_spec("llvmlite") is not None


def compiled(text: str, types: list[Any]) -> Code:
    """Return the code of a module of LLVM IR, of its functions @kernel and @work."""
    engine = engine_of(text)
    kernel, work = map(engine.get_function_address, ("kernel", "work"))
    return Code(ctypes.CFUNCTYPE(ctypes.c_int64, *types)(kernel), work)


def engine_of(text: str, level: int = 2) -> Any:
    """Return what tells the addresses of the functions of a module of LLVM IR, made for good.

    The level is how hard LLVM tries.
    """
    import llvmlite.binding as llvm

    with _LOCK:
        _initialize()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(),
            features=llvm.get_host_cpu_features().flatten(),
            opt=level,
            jit=True,
            codemodel="jitdefault",
        )
        engine = llvm.create_mcjit_compiler(_optimized(text, machine), machine)
        engine.finalize_object()
        _ENGINES.append(engine)
        return engine


def ptx_of(text: str, capability: tuple[int, int]) -> str:
    """Return the assembly of a module of LLVM IR for GPUs of NVIDIA from a kind on."""
    import llvmlite.binding as llvm

    major, minor = _capability_for(capability)
    with _LOCK:
        _initialize()
        target = llvm.Target.from_triple(GPU)
        machine = target.create_target_machine(cpu=f"sm_{major}{minor}", opt=3)
        module = _optimized(f'target triple = "{GPU}"\n{text}', machine)
        return str(machine.emit_assembly(module))


def _capability_for(capability: tuple[int, int]) -> tuple[int, int]:
    """Return the latest of the known compute capabilities whose code a GPU runs."""
    known = [each for each in CAPABILITIES if each <= capability]
    if not known:
        found, least = (".".join(map(str, each)) for each in (capability, CAPABILITIES[0]))
        raise ValueError(f"kernels need a compute capability of {least} or more; found {found}")
    return known[-1]


def _optimized(text: str, machine: Any) -> Any:
    """Return a module whose variables are in registers.

    All else that LLVM could do is done, and it would take long.
    """
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(text)
    module.verify()
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    return module


@cache
def _initialize() -> None:
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
