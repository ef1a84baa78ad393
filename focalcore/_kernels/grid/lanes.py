"""What the lanes of a team are: threads of a GPU; the tests have others, which stand for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from ..writer import TYPES, Writer, vector

THREADS = 128  # of a block of the grid: some teams, which know nothing of each other


class Lanes(ABC):
    """The lanes of a team: each has a value of its own where one is said to be for each lane."""

    def __init__(self, w: Writer, width: int) -> None:
        self.w, self.width = w, width
        self.declared: dict[str, str] = {}  # the functions of LLVM that are called

    @property
    @abstractmethod
    def registers(self) -> int:
        """Return how many numbers a register holds: a value is for each lane in any case."""

    @property
    @abstractmethod
    def numbers(self) -> str:
        """Return the number of each lane."""

    @abstractmethod
    def header(self, name: str, parameters: list[str]) -> str:
        """Return the first line of a kernel."""

    @abstractmethod
    @contextmanager
    def teams(self, n_teams: str) -> Iterator[str]:
        """Do what is written inside for each team, with its number."""

    @abstractmethod
    @contextmanager
    def only(self, is_used: str) -> Iterator[None]:
        """Do what is written inside only in some lanes."""

    @abstractmethod
    def load(self, dtype: str, pointers: str, is_used: str | None) -> str:
        """Return a number for each lane from memory."""

    @abstractmethod
    def store(self, dtype: str, value: str, pointers: str, is_used: str | None) -> None:
        """Put the number of each lane into memory."""

    @abstractmethod
    def store_first(self, dtype: str, value: str, pointer: str) -> None:
        """Put the number of the first lane into memory."""

    @abstractmethod
    def from_other(self, dtype: str, value: str, distance: int) -> str:
        """Return the value of the lane whose number differs in one bit, that of a distance."""

    def kind(self, dtype: str) -> str:
        """Return the type of a value for each lane."""
        return vector(dtype, self.registers)

    def each(self, value: str, dtype: str = "int64") -> str:
        """Return a value of the team for each lane."""
        return value if self.registers == 1 else self.w.spread(dtype, self.registers, value)

    def do(self, how: str, a: str, b: str, dtype: str = "int64") -> str:
        """Return the result of an operation of two values for each lane."""
        return self.w.value(f"{how} {self.kind(dtype)} {a}, {b}")

    def converted(self, how: str, value: str, source: str, dtype: str) -> str:
        """Return a value in another type."""
        return self.w.value(f"{how} {self.kind(source)} {value} to {self.kind(dtype)}")

    def call(self, result: str, name: str, *arguments: tuple[str, str]) -> str:
        """Return the text that calls a function of LLVM, with types and values."""
        kinds = ", ".join(kind for kind, _ in arguments)
        self.declared[name] = f"declare {result} @{name}({kinds})"
        return f"call {result} @{name}({', '.join(map(' '.join, arguments))})"

    def at(self, pointer: str, offsets: str) -> str:
        """Return a pointer for each lane, some bytes beyond one pointer."""
        return self.w.value(f"getelementptr i8, ptr {pointer}, {self.kind('int64')} {offsets}")


class Threads(Lanes):
    """Threads of a GPU: the lanes of a team lie in one warp, which runs them in step."""

    registers = 1

    @property
    def numbers(self) -> str:
        return "%lane"

    def header(self, name: str, parameters: list[str]) -> str:
        own = [p.replace("ptr %o", "ptr noalias %o") for p in parameters]
        own = [p.replace("ptr %a", "ptr noalias readonly %a") for p in own]
        return f'ptx_kernel void @{name}({", ".join(own)}) "nvvm.maxntid"="{THREADS}"'

    @contextmanager
    def teams(self, n_teams: str) -> Iterator[str]:
        """Do what is written inside if there is such a team as the thread's."""
        w = self.w
        thread = w.value(self.call("i32", "llvm.nvvm.read.ptx.sreg.tid.x"))
        block = w.value(self.call("i32", "llvm.nvvm.read.ptx.sreg.ctaid.x"))
        w.do(f"%thread = zext i32 {thread} to i64")
        first = w.mul(w.value(f"zext i32 {block} to i64"), THREADS // self.width)
        team = w.add(first, w.value(f"udiv i64 %thread, {self.width}"))
        w.do(f"%lane = urem i64 %thread, {self.width}")
        # the lanes of the team, by their bits among those of the warp
        inside = w.value(f"and i32 {thread}, {32 - self.width}")
        w.do(f"%members = shl i32 {(1 << self.width) - 1 if self.width < 32 else -1}, {inside}")
        with w.when(w.is_(team, "slt", n_teams)):
            yield team
        w.do("ret void")

    @contextmanager
    def only(self, is_used: str) -> Iterator[None]:
        with self.w.when(is_used):
            yield

    def load(self, dtype: str, pointers: str, is_used: str | None) -> str:  # noqa: ARG002
        return self.w.number(dtype, pointers)

    def store(self, dtype: str, value: str, pointers: str, is_used: str | None) -> None:  # noqa: ARG002
        self.w.store(TYPES[dtype], value, pointers)

    def store_first(self, dtype: str, value: str, pointer: str) -> None:
        with self.w.when(self.w.is_("%lane", "eq", 0)):
            self.w.store(TYPES[dtype], value, pointer)

    def from_other(self, dtype: str, value: str, distance: int) -> str:
        w, kind = self.w, TYPES[dtype]
        if dtype == "bool":
            bit = self._swapped(w.value(f"zext i1 {value} to i32"), distance)
            return w.value(f"icmp ne i32 {bit}, 0")
        if dtype == "int32":
            return self._swapped(value, distance)
        if dtype == "float32":
            bits = self._swapped(w.value(f"bitcast float {value} to i32"), distance)
            return w.value(f"bitcast i32 {bits} to float")
        halves = w.value(f"bitcast {kind} {value} to <2 x i32>")
        found = "poison"
        for i in range(2):
            half = self._swapped(w.value(f"extractelement <2 x i32> {halves}, i64 {i}"), distance)
            found = w.value(f"insertelement <2 x i32> {found}, i32 {half}, i64 {i}")
        return w.value(f"bitcast <2 x i32> {found} to {kind}")

    def _swapped(self, value: str, distance: int) -> str:
        arguments = [("i32", x) for x in ("%members", value, str(distance), "31")]
        return self.w.value(self.call("i32", "llvm.nvvm.shfl.sync.bfly.i32", *arguments))
