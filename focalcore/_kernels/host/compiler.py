"""LLVM, through llvmlite: from the text of a kernel to the address of its machine code."""

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
    import llvmlite.binding as llvm

    with _LOCK:
        machine = _machine()
        module = llvm.parse_assembly(text)
        module.verify()
        _optimize(module, machine)
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.finalize_object()
        _ENGINES.append(engine)
        kernel, work = map(engine.get_function_address, ("kernel", "work"))
    return Code(ctypes.CFUNCTYPE(ctypes.c_int64, *types)(kernel), work)


def _optimize(module: Any, machine: Any) -> None:
    """Put variables into registers; all else that LLVM could do is done, and it would take long."""
    import llvmlite.binding as llvm

    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))


def _machine() -> Any:
    """Return LLVM's description of this processor."""
    import llvmlite.binding as llvm

    _initialize()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        jit=True,
        codemodel="jitdefault",
    )


@cache
def _initialize() -> None:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
