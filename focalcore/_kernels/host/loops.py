"""What the loops of all kernels have in common: parameters, blocks, sums, and the look for NaN.

Elements, or rows, are worked on in blocks, which threads share, and each block in vectors. A sum
has a partial sum for each lane of a vector, in float64, and these are folded at the end of a block:
the order, which `sums` tells, depends on the shape alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..emit import Emitter, Value, given, intrinsics
from ..program import Array, Program
from ..symbols import Over, Symbol
from ..writer import Variable, Writer, constant, vector
from . import copies

UNALIGNED = 1


class Loop:
    """A kernel; its subclasses say what is done in a block."""

    scratch = 0  # bytes of memory that a thread needs for each class, or each class of each lane

    def __init__(self, program: Program) -> None:
        self.program, self.width, self.w = program, program.width, Writer()
        self.emitter = Emitter(self.w, self.width, self.leaf)
        self.over_rows = [(i, a) for i, a in enumerate(program.arrays) if a.over is Over.ROW]
        self.stored, self.summed = program.stored, program.summed
        self.sums = [self.w.place("double", self.width) for _ in self.summed]
        self.bad = self._no_lane_is_bad()

    def text(self) -> str:
        """Return the kernel as a module of LLVM IR."""
        self.emitter.emit_below(Over.ROW, self.program.symbols)
        with self._blocks() as block:
            start = self.w.mul(block, "%per_block")
            for place in self.sums:
                self.w.store(self.doubles, "zeroinitializer", place)
            self.block(start, self.w.least(self.w.add(start, "%per_block"), "%n"))
            for i, place in enumerate(self.sums):
                number = self.w.add(self.w.mul(block, len(self.sums)), i)
                lanes = self.w.load(self.doubles, place)
                found = self.folded("float64", lanes, self.added)
                self.w.store("double", found, self.at("%sums", number, 8))
        self.w.do(f"ret i64 {self._found_bad()}")
        kernel = self.w.function(f"i64 @kernel({', '.join(self._parameters())})")
        called = copies.functions(self.width, kernel)
        work = workers_function(self._parameters())
        return "\n".join((intrinsics(self.width), called, kernel, work))

    def _parameters(self) -> list[str]:
        found = ["i64 %n", "i64 %per_block", "i64 %per_turn", "i64 %classes"]
        found += ["ptr %counter", "ptr %scratch", "ptr %sums"]
        for i, array in enumerate(self.program.arrays):
            found += _placed(f"%a{i}", array.over)
        found += [f"double %number{i}" for i in range(len(self.program.numbers))]
        for i, result in self.stored:
            found += _placed(f"%o{i}", result.over)
        return found

    @contextmanager
    def _blocks(self) -> Iterator[str]:
        """Repeat for each block; of several threads each takes the next ones by the counter."""
        w = self.w
        before = w.add("%n", w.add("%per_block", -1))
        n_blocks = w.value(f"udiv i64 {before}, %per_block")
        turn = "atomicrmw add ptr %counter, i64 %per_turn monotonic"
        with (
            w.repeat(lambda: w.value(turn), n_blocks) as first,
            w.loop(first, w.least(w.add(first, "%per_turn"), n_blocks)) as block,
        ):
            yield block

    def block(self, start: str, stop: str) -> None:
        """Write what is done for the elements or rows from a start to a stop."""
        raise NotImplementedError

    # sums

    @property
    def doubles(self) -> str:
        """Return the type of a partial sum for each lane."""
        return vector("float64", self.width)

    def add_lanes(self, place: str, symbol: Symbol, is_used: str) -> None:
        """Add a symbol to the partial sums of a place, in the lanes that are used."""
        w, kind = self.w, self.doubles
        wide = w.as_doubles(symbol.dtype, self.width, self.emitter.wide(symbol, self.width))
        used = f"<{self.width} x i1> {is_used}"
        kept = w.value(f"select {used}, {kind} {wide}, {kind} zeroinitializer")
        w.store(kind, self.added(w.load(kind, place), kept, self.width), place)

    def added(self, a: str, b: str, lanes: int) -> str:
        """Return the sum of two partial sums, or of those of lanes."""
        return self.w.value(f"fadd {vector('float64', lanes)} {a}, {b}")

    def folded(self, dtype: str, name: str, join: Callable[[str, str, int], str]) -> str:
        """Return all lanes of a vector joined to one number, by halves."""
        lanes = self.width
        while lanes > 1:
            first, second = self.w.halves(dtype, lanes, name)
            lanes //= 2
            name = join(first, second, lanes)
        return name

    def lanes_below(self, count: str) -> str:
        """Return which lanes have a number below a count."""
        one = self.w.value(f"trunc i64 {self.w.least(count, self.width)} to i32")
        each = self.emitter.spread(Value(one, 1), "int32", self.width)
        return self.w.value(f"icmp slt {vector('int32', self.width)} {self.lanes}, {each}")

    @property
    def lanes(self) -> str:
        """Return the numbers of the lanes."""
        return f"<{', '.join(f'i32 {lane}' for lane in range(self.width))}>"

    # the look for NaN

    def _no_lane_is_bad(self) -> Variable | None:
        looked_at = next(
            (r.looked_at for r in self.program.results if r.looked_at is not None), None
        )
        if looked_at is None:
            return None
        kind = vector("int64" if looked_at.dtype == "float64" else "int32", self.width)
        return self.w.variable(kind, "zeroinitializer")

    def look(self, symbol: Symbol | None, is_used: str | None = None) -> None:
        """Note in which lanes, or those that are used of them, a symbol is NaN."""
        if symbol is None or self.bad is None:
            return
        w, kind = self.w, vector(symbol.dtype, self.width)
        name = self.emitter.wide(symbol, self.width)
        is_nan = w.value(f"fcmp uno {kind} {name}, {name}")
        if is_used is not None:
            is_nan = w.value(f"and <{self.width} x i1> {is_nan}, {is_used}")
        bits = w.value(f"sext <{self.width} x i1> {is_nan} to {self.bad.type}")
        w.set(self.bad, w.value(f"or {self.bad.type} {w.get(self.bad)}, {bits}"))

    def _found_bad(self) -> str:
        if self.bad is None:
            return "0"
        some = self.w.value(f"icmp ne {self.bad.type} {self.w.get(self.bad)}, zeroinitializer")
        bits = self.w.value(f"bitcast <{self.width} x i1> {some} to i{self.width}")
        return self.w.value(f"zext i{self.width} {bits} to i64")

    # what is read

    def leaf(self, symbol: Symbol) -> Value:
        """Return the value of a symbol that is read; here of those that are one for all."""
        argument = given(self.w, symbol, self.program.numbers)
        if argument is not None:
            return argument
        i, array = self.array_of(symbol)
        return Value(self.loaded(array.dtype, f"%a{i}", 1), 1)

    def array_of(self, symbol: Symbol) -> tuple[int, Array]:
        """Return the operand that a symbol is read from, and its number."""
        return next((i, a) for i, a in enumerate(self.program.arrays) if a.name == symbol.of)

    def loaded(self, dtype: str, pointer: str, lanes: int) -> str:
        """Return one number, or one for each lane, from memory."""
        if dtype != "bool":
            return self.w.load(vector(dtype, lanes), pointer, UNALIGNED)
        byte = self.w.load(vector("uint8", lanes), pointer, UNALIGNED)
        zero = constant("uint8", 0, lanes)
        return self.w.value(f"icmp ne {vector('uint8', lanes)} {byte}, {zero}")

    def readable(
        self, name: str, size: int, first: str, count: str, is_whole: str, copy: str
    ) -> str:
        """Return a pointer to elements side by side: where they lie, or a copy."""
        w = self.w
        lies_so = w.value(f"icmp eq ptr {name}_table, null")
        is_direct = w.value(f"and i1 {lies_so}, {is_whole}")
        with w.unless(is_direct):
            w.do(
                f"call void @gather{size}(ptr {copy}, ptr {name}, ptr {name}_table, "
                f"i64 {first}, i64 {count})"
            )
        return w.either(is_direct, "ptr", self.at(name, first, size), copy)

    def at(self, pointer: str, i: str, size: int | str) -> str:
        """Return a pointer to the i-th element of a size."""
        return self.w.at(pointer, self.w.mul(i, size))


# what lies before the arguments that @work reads: how many have come, what they found, and the
# bytes of scratch memory of each
BEFORE = 3


def workers_function(parameters: list[str]) -> str:
    """Return the text of @work, by which each worker of a crew calls @kernel, from memory."""
    w = Writer()
    number = w.value("atomicrmw add ptr %call, i64 1 monotonic")
    own = w.mul(number, w.load("i64", w.at("%call", "16")))
    passed = []
    for i, parameter in enumerate(parameters, start=BEFORE):
        kind, name = parameter.split()
        value = w.load(kind, w.at("%call", str(8 * i)))
        passed.append(f"{kind} {w.at(value, own) if name == '%scratch' else value}")
    found = w.value(f"call i64 @kernel({', '.join(passed)})")
    w.value(f"atomicrmw or ptr {w.at('%call', '8')}, i64 {found} monotonic")
    w.do("ret void")
    return w.function("void @work(ptr %call)")


def _placed(name: str, over: Over) -> list[str]:
    """Return the parameters that say where an array lies: those that its kind needs."""
    return [f"ptr {name}", f"ptr {name}_table", f"i64 {name}_step"][: over + 1]
