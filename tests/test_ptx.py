"""PTX: what the kernels of a GPU are compiled to, and what NVIDIA's assembler makes of it.

The kernels are those of the conformance matrix, that is of every loss, choice of options, output
and type that it measures, and beside them those that are run most, in every loop there is. All of
them for every kind of GPU are compiled and assembled with FOCALCORE_WHOLE=1, which takes a quarter
of an hour. Otherwise each loss, choice and output is, in one of the types, for one kind of GPU, and
some of them for the others. How much it was is printed at the end, by `conftest`.

`ptxas` is in the package nvidia-cuda-nvcc, and needs no GPU.
"""

import functools
import os
import re
import shutil
import stat
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import ml_dtypes
import numpy as np
import pytest

from conformance.implementations import FOCALCORE
from conformance.places import ALL, HALVES, NUMPY
from conformance.vectors import QUANTITIES, load
from focalcore import (
    _kernels,
    _recall,
    sigmoid_focal_loss,
    sigmoid_focal_loss_value_and_grad,
    softmax_focal_loss,
    softmax_focal_loss_value_and_grad,
    use_compiler,
)
from focalcore._kernels import compiler
from focalcore._kernels.grid.lanes import Threads
from focalcore._kernels.grid.modules import module_of

from .slices import WHOLE

pytest.importorskip("llvmlite", reason="llvmlite is not installed")
GIVEN = {"alpha", "pos_weight"}  # numbers that a kernel isn't made for
GPUS = {"sm_75": (7, 5), "sm_80": (8, 0), "sm_90": (9, 0), "sm_100": (10, 0)}
FIRST = "sm_90"  # of which each choice is compiled
EVERY = 11  # one choice of so many is compiled for the others too
# how else than as they are the rows of some classes can be gone through, where there are more, or
# where they lie otherwise
LOOPS = {
    "registers of 8 threads": {"loop": "registers", "classes": 100, "threads": 8},
    **{name: {"loop": name, "classes": 0, "threads": 0} for name in ("threads", "teams", "parts")},
}


def loops_of(work):
    return (None, *LOOPS) if work.startswith("softmax") else (None,)


class Asked(Exception):  # noqa: N818 - it isn't one
    """A call that a kernel is asked for."""


def source_of(f, *arrays):
    """What the kernel of a GPU is made from, for what is asked of NumPy."""

    def spy(call):
        raise Asked(call)

    asks = mock.patch.object(_kernels, "plan_of", spy)
    # a call that was made before would ask for nothing
    forgets = mock.patch.object(_recall, "key_of", return_value=None)
    with asks, forgets, use_compiler():
        try:
            f(*arrays)
        except Asked as asked:
            return _kernels.grid_plan_of(*asked.args).source
    raise AssertionError("no kernel is asked for")


class Choice(NamedTuple):
    """A kernel's loss, options, output, type and loop, by their names."""

    id: str
    quantity: str
    dtype: str
    loop: str | None  # None: the one that these shapes take

    @property
    def source(self):
        return _in_loop(_asked(self.id, self.quantity, self.dtype), self.loop)


def _in_loop(source, loop):
    return source if loop is None else source._replace(**LOOPS[loop])


@functools.cache
def _asked(id_, quantity, dtype):
    vectors = next(v for v in load(dtype) if v.id == id_)
    y = vectors.targets
    arrays = (
        NUMPY.array(vectors.logits, dtype),
        NUMPY.array(y, dtype if y.dtype.kind == "f" else None),
    )
    return source_of(getattr(FOCALCORE, quantity)(vectors), *arrays)


def kernel_of(vectors):
    """What tells the kernels of a choice of options from others, whatever numbers it is given."""
    options = {n: v for n, v in vectors.options.items() if n not in GIVEN or isinstance(v, list)}
    shape = vectors.logits.shape[1:], vectors.targets.dtype.kind, vectors.targets.ndim
    given = sorted(vectors.options.keys() & GIVEN)
    return vectors.loss, *vectors.exact, shape, repr(options), *given


def choices():
    """All of the matrix: for each loss, options and output, by the loop and the type."""
    distinct = {kernel_of(vectors): vectors for vectors in load("float64")}
    for vectors in distinct.values():
        for quantity in QUANTITIES:
            if quantity in vectors.exact:
                yield [
                    [Choice(vectors.id, quantity, dtype, loop) for dtype in ALL]
                    for loop in loops_of(vectors.loss)
                ]


def chosen(gpu):
    """Those to be compiled here for a kind of GPU, by the kind of their inputs and the output."""
    found = {}
    for turn, (first, *others) in enumerate(choices(), start=list(GPUS).index(gpu)):
        own = [first[turn % len(ALL)]] if gpu == FIRST or turn % EVERY == 0 else []
        if others and own and turn % 5 == 0:
            own.append(others[turn // 5 % len(others)][turn % len(ALL)])
        if WHOLE:
            own = first + [types[turn % len(ALL)] for types in others if gpu == FIRST]
        for choice in own:
            found.setdefault((choice.id.partition("[")[0], choice.quantity), []).append(choice)
    return found


COMMON = {
    "sigmoid value": lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25),
    "sigmoid mean": lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25, reduction="mean"),
    "sigmoid gradient": lambda x, y: sigmoid_focal_loss_value_and_grad(x, y, alpha=0.25),
    "sigmoid mean and gradient": lambda x, y: sigmoid_focal_loss_value_and_grad(
        x, y, alpha=0.25, reduction="mean"
    ),
    "softmax value": lambda x, y: softmax_focal_loss(x, y),
    "softmax mean": lambda x, y: softmax_focal_loss(x, y, reduction="mean"),
    "softmax gradient": lambda x, y: softmax_focal_loss_value_and_grad(x, y),
    "softmax mean and gradient": lambda x, y: softmax_focal_loss_value_and_grad(
        x, y, reduction="mean"
    ),
}


@functools.cache
def common(work, dtype, loop):
    """The source of a kernel of those that are run most: gamma is 2."""
    x = np.zeros((4, 3), ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    y = np.zeros(4, int) if work.startswith("softmax") else np.zeros((4, 3), bool)
    return _in_loop(source_of(COMMON[work], x, y), loop)


@functools.cache
def text_of(source):
    """A module as LLVM is given it."""
    return module_of(source, Threads)


@functools.cache
def ptx_of(source, gpu):
    """What `_kernels.ptx_of` gives."""
    return compiler.ptx_of(text_of(source), GPUS[gpu])


class Entry(NamedTuple):
    """A kernel as it was assembled."""

    name: str
    registers: int
    stack: int  # bytes for each thread
    stored: int  # bytes that are spilled
    loaded: int


@functools.cache
def ptxas():
    """The path of NVIDIA's assembler, which may have come without leave to be run, or None."""
    try:
        files = metadata.files("nvidia-cuda-nvcc") or []
    except metadata.PackageNotFoundError:
        return None
    path = next((Path(f.locate()) for f in files if f.name == "ptxas"), None)
    if path is None or os.access(path, os.X_OK):
        return path
    copy = Path(tempfile.mkdtemp()) / path.name
    shutil.copyfile(path, copy)
    copy.chmod(stat.S_IRWXU)
    return copy


ENTRY = re.compile(
    r"Function properties for (\w+)\s+(\d+) bytes stack frame, (\d+) bytes spill stores, "
    r"(\d+) bytes spill loads\s+ptxas info\s*: Used (\d+) registers"
)


@functools.cache
def assembled(source, gpu):
    """The kernels of a source, assembled for a kind of GPU; the test fails where they can't be."""
    path = ptxas()
    if path is None:
        pytest.skip("nvidia-cuda-nvcc is not installed, which has ptxas")
    text = ptx_of(source, gpu)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "kernel.ptx")
        file.write_text(text)
        command = [path, "-v", "-arch", gpu, file, "-o", file.with_suffix(".cubin")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr, done.stderr
    found = [
        Entry(name, int(registers), *map(int, sizes))
        for name, *sizes, registers in ENTRY.findall(done.stderr)
    ]
    assert len(found) == len(re.findall(r"^\.visible \.entry", text, re.M))
    return found


# what a kernel may do with numbers that aren't whole: what IEEE 754 rounds to the nearest (with
# `.rn` the assembler makes no fused operation of two), what is exact, and what moves or compares
ROUNDED = re.compile(r"(add|sub|mul|div|sqrt|rcp)\.rn\.f(32|64)")
EXACT = re.compile(
    r"(abs|neg|max|min|max\.NaN|min\.NaN|selp|mov|copysign|setp\.\w+)\.f(32|64)"
    r"|cvt\.(f64\.f32|rn\.f32\.f64|rn\.f(32|64)\.[su](32|64)|rzi\.[su](32|64)\.f(32|64))"
)
IS_FLOAT = re.compile(r"\.b?f(16|32|64)(x2)?\b")


def operations(ptx):
    """The names of all instructions of a module."""
    return re.findall(r"^\s+(?:@!?%p\d+ )?([a-z][\w.:]*)", ptx, re.M)


def is_as_on_the_host(source, gpu):
    """Assert that a kernel rounds as the host's does, and that no thread waits for another."""
    ptx, text = ptx_of(source, gpu), text_of(source)
    found = operations(ptx)
    assert ".target " + gpu in ptx
    for name in {n for n in found if IS_FLOAT.search(n) and not n.startswith("fma.rn.")}:
        assert ROUNDED.fullmatch(name) or EXACT.fullmatch(name), name
    for name in set(found):
        assert not re.search(r"\.(approx|full|ftz|sat)\b|^(atom|red|bar|call)\b", name), name
    for dtype in ("f32", "f64"):
        # LLVM is told to fuse where the product is exact, which changes no bit
        told = len(re.findall(rf"call \w+ @llvm\.fmuladd\.{dtype}\(", text))
        assert found.count(f"fma.rn.{dtype}") <= told
    if source.loop in ("elements", "registers"):
        assert ".local" not in ptx


class OfAKind:
    """What is claimed of the kernels for a kind of GPU; each is compiled by one process."""

    gpu: str

    def test_every_kernel_of_the_matrix_rounds_as_the_host_does(self, kind):
        for choice in chosen(self.gpu)[kind]:
            is_as_on_the_host(choice.source, self.gpu)

    def test_every_kernel_of_the_matrix_is_assembled(self, kind, record_property):
        for choice in chosen(self.gpu)[kind]:
            count(record_property, assembled(choice.source, self.gpu), self.gpu)

    def test_what_is_run_most_rounds_as_the_host_does(self, work):
        for source in self.run_most(work):
            is_as_on_the_host(source, self.gpu)

    def test_nothing_is_spilled_of_what_is_run_most(self, work, record_property):
        """But for one register, stored once for each long row: ptxas 13.5 does so for sm_80."""
        for source in self.run_most(work):
            entries = assembled(source, self.gpu)
            count(record_property, entries, self.gpu)
            for entry in entries:
                most = 4 if source.loop in ("teams", "parts") else 0
                assert max(entry.stored, entry.loaded) <= most, (source, entry)
                # a thread that has a row of many classes has its sums in memory
                assert entry.stack <= 2 * most or source.loop == "threads"

    @classmethod
    def run_most(cls, work):
        """The sources of a work in all types but float64, and in all loops."""
        for dtype in (*HALVES, "float32"):
            loops = loops_of(work)
            if not WHOLE and dtype in HALVES:
                loops = loops[:1] if cls.gpu == FIRST else ()
            for loop in loops:
                yield common(work, dtype, loop)


def works(gpu):
    return list(COMMON) if WHOLE or gpu == FIRST else [w for w in COMMON if "mean and" in w]


def pytest_generate_tests(metafunc):
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", list(chosen(metafunc.cls.gpu)), ids=" ".join)
    if "work" in metafunc.fixturenames:
        metafunc.parametrize("work", works(metafunc.cls.gpu))


def count(record_property, entries, gpu):
    """Have it told at the end how much was assembled."""
    for entry in entries:
        record_property("assembled", (gpu, entry.registers, entry.stored))


class TestTuring(OfAKind):
    gpu = "sm_75"


class TestAmpere(OfAKind):
    gpu = "sm_80"


class TestHopper(OfAKind):
    gpu = "sm_90"


class TestBlackwell(OfAKind):
    gpu = "sm_100"


@pytest.mark.parametrize(
    ("capability", "target"), [((8, 7), 86), ((9, 0), 90), ((10, 3), 100), ((99, 9), 120)]
)
def test_a_gpu_gets_the_code_of_the_latest_known_kind_before_it(capability, target):
    source = common("sigmoid value", "float32", None)
    assert f".target sm_{target}" in _kernels.ptx_of(source, capability)


def test_a_gpu_that_is_too_old_has_no_kernels():
    source = common("sigmoid value", "float32", None)
    with pytest.raises(ValueError, match=r"compute capability of 7\.0 or more; found 6\.1"):
        _kernels.ptx_of(source, (6, 1))


@pytest.mark.parametrize(
    "name", ["fma.rn.f32", "div.full.f32", "add.f32", "sqrt.approx.ftz.f32", "ex2.approx.f32"]
)
def test_what_a_gpu_rounds_in_its_own_way_is_told_from_the_rest(name):
    """What the claims above rest on."""
    assert IS_FLOAT.search(name)
    assert not ROUNDED.fullmatch(name)
    assert not EXACT.fullmatch(name)
