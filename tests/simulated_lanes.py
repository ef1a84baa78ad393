"""Lanes of a vector on the host, which stand for the threads of a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager

from focalcore._kernels.grid.lanes import Lanes
from focalcore._kernels.writer import TYPES


class Simulated(Lanes):
    """Teams are run one after the other, each by the lanes of a vector."""

    @property
    def registers(self) -> int:
        """Return how many numbers a register holds."""
        return self.width

    @property
    def numbers(self) -> str:
        return f"<{', '.join(f'i64 {lane}' for lane in range(self.width))}>"

    def header(self, name: str, parameters: list[str]) -> str:
        """Return the first line of a kernel, which is told of the teams to run."""
        return f"void @{name}({', '.join([*parameters, 'i64 %first_team', 'i64 %end_of_teams'])})"

    @contextmanager
    def teams(self, n_teams: str) -> Iterator[str]:
        with self.w.loop("%first_team", self.w.least("%end_of_teams", n_teams)) as team:
            yield team
        self.w.do("ret void")

    @contextmanager
    def only(self, is_used: str) -> Iterator[None]:  # noqa: ARG002 - what reads and writes is told
        """Do what is written inside in all lanes: it's harmless, but to read and to write."""
        yield

    def load(self, dtype: str, pointers: str, is_used: str | None) -> str:
        """Return a number for each lane from memory, 0 where a lane isn't used."""
        memory = "uint8" if dtype == "bool" else dtype
        kind = self.kind(memory)
        name = f"llvm.masked.gather.{_named(kind)}.v{self.width}p0"
        arguments = (*self._places(pointers, is_used), (kind, "zeroinitializer"))
        found = self.w.value(self.call(kind, name, *arguments))
        if dtype != "bool":
            return found
        return self.w.value(f"icmp ne {kind} {found}, zeroinitializer")

    def store(self, dtype: str, value: str, pointers: str, is_used: str | None) -> None:
        kind = self.kind(dtype)
        name = f"llvm.masked.scatter.{_named(kind)}.v{self.width}p0"
        self.w.do(self.call("void", name, (kind, value), *self._places(pointers, is_used)))

    def store_first(self, dtype: str, value: str, pointer: str) -> None:
        first = self.w.value(f"extractelement {self.kind(dtype)} {value}, i64 0")
        self.w.store(TYPES[dtype], first, pointer)

    def from_other(self, dtype: str, value: str, distance: int) -> str:
        kind = self.kind(dtype)
        order = ", ".join(f"i32 {lane ^ distance}" for lane in range(self.width))
        lanes = f"<{self.width} x i32> <{order}>"
        return self.w.value(f"shufflevector {kind} {value}, {kind} poison, {lanes}")

    def _places(self, pointers: str, is_used: str | None) -> tuple[tuple[str, str], ...]:
        """Return pointers, how they are aligned, and the lanes to be used, as LLVM takes them."""
        used = "splat (i1 true)" if is_used is None else is_used
        return (
            (f"<{self.width} x ptr>", pointers),
            ("i32", "1"),
            (f"<{self.width} x i1>", used),
        )


def _named(kind: str) -> str:
    """Return how a type is called in the names of LLVM's functions."""
    lanes, _, number = kind.strip("<>").partition(" x ")
    return f"v{lanes}{ {'float': 'f32', 'double': 'f64'}.get(number, number) }"
