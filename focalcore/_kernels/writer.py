"""A writer of LLVM IR, line by line: values, variables, loops and branches."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# how the types of numbers are called in LLVM, in registers; in memory a bool is an i8
TYPES = {"float32": "float", "float64": "double", "bool": "i1"}
TYPES |= {"float16": "i16", "bfloat16": "i16"}
TYPES |= {f"{sign}int{n}": f"i{n}" for sign in ("", "u") for n in (8, 16, 32, 64)}
SIZES = {"bool": 1, "float32": 4, "float64": 8, "float16": 2, "bfloat16": 2}
SIZES |= {f"{sign}int{n}": n // 8 for sign in ("", "u") for n in (8, 16, 32, 64)}


@dataclass(frozen=True)
class Variable:
    """A place on the stack, which the compiler makes a register of."""

    type: str
    place: str


class Writer:
    """The lines of a function, in the order in which they are written."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.places: list[str] = []  # allocations, which belong at the function's start
        self.named = 0

    def new(self, prefix: str = "v") -> str:
        """Return a name that is not in use."""
        self.named += 1
        return f"{prefix}{self.named}"

    def do(self, text: str) -> None:
        """Write an instruction that has no value."""
        self.lines.append(f"  {text}")

    def value(self, text: str) -> str:
        """Write an instruction, and return the name of its value."""
        name = f"%{self.new()}"
        self.do(f"{name} = {text}")
        return name

    def place(self, type_: str, n: int | None = None) -> str:
        """Return a pointer to memory on the stack, for one of a type or for n of them."""
        name = f"%{self.new('place')}"
        kind = type_ if n is None else f"[{n} x {type_}]"
        self.places.append(f"  {name} = alloca {kind}, align 64")
        return name

    def variable(self, type_: str, start: str) -> Variable:
        """Return a variable with a start value."""
        made = Variable(type_, self.place(type_))
        self.set(made, start)
        return made

    def get(self, variable: Variable) -> str:
        """Return the present value of a variable."""
        return self.load(variable.type, variable.place)

    def set(self, variable: Variable, value: str) -> None:
        """Give a variable another value."""
        self.store(variable.type, value, variable.place)

    def load(self, type_: str, pointer: str, align: int | None = None) -> str:
        """Return what lies in memory."""
        return self.value(f"load {type_}, ptr {pointer}{_aligned(align)}")

    def number(self, dtype: str, pointer: str) -> str:
        """Return a number from memory, where a bool is a byte."""
        if dtype != "bool":
            return self.load(TYPES[dtype], pointer)
        return self.value(f"icmp ne i8 {self.load('i8', pointer)}, 0")

    def store(self, type_: str, value: str, pointer: str, align: int | None = None) -> None:
        """Put a value into memory."""
        self.do(f"store {type_} {value}, ptr {pointer}{_aligned(align)}")

    def at(self, pointer: str, offset: str) -> str:
        """Return a pointer some bytes further on."""
        return self.value(f"getelementptr i8, ptr {pointer}, i64 {offset}")

    def add(self, a: str, b: str | int) -> str:
        """Return the sum of two lengths."""
        return self.value(f"add i64 {a}, {b}")

    def sub(self, a: str, b: str | int) -> str:
        """Return the difference of two lengths."""
        return self.value(f"sub i64 {a}, {b}")

    def mul(self, a: str, b: str | int) -> str:
        """Return the product of two lengths."""
        return self.value(f"mul i64 {a}, {b}")

    def least(self, a: str, b: str | int) -> str:
        """Return the smaller of two lengths."""
        return self.either(self.is_(a, "slt", b), "i64", a, str(b))

    def is_(self, a: str, how: str, b: str | int) -> str:
        """Return how two lengths compare."""
        return self.value(f"icmp {how} i64 {a}, {b}")

    def either(self, condition: str, type_: str, a: str, b: str) -> str:
        """Return one of two values."""
        return self.value(f"select i1 {condition}, {type_} {a}, {type_} {b}")

    def spread(self, dtype: str, lanes: int, value: str) -> str:
        """Return a number in each of several lanes."""
        kind = vector(dtype, lanes)
        one = self.value(f"insertelement {kind} poison, {TYPES[dtype]} {value}, i64 0")
        zeros = f"<{lanes} x i32> zeroinitializer"
        return self.value(f"shufflevector {kind} {one}, {kind} poison, {zeros}")

    def as_doubles(self, dtype: str, lanes: int, value: str) -> str:
        """Return numbers of a type in float64."""
        if dtype == "float64":
            return value
        how = "fpext" if dtype == "float32" else "sitofp"
        return self.value(f"{how} {vector(dtype, lanes)} {value} to {vector('float64', lanes)}")

    def from_doubles(self, dtype: str, lanes: int, value: str) -> str:
        """Return numbers in float64 in another type."""
        if dtype == "float64":
            return value
        how = "fptrunc" if dtype == "float32" else "fptosi"
        return self.value(f"{how} {vector('float64', lanes)} {value} to {vector(dtype, lanes)}")

    def halves(self, dtype: str, lanes: int, name: str) -> tuple[str, str]:
        """Return the first half of the lanes of a vector, and the second."""
        kind, half = vector(dtype, lanes), lanes // 2
        if half == 1:
            return self.value(f"extractelement {kind} {name}, i64 0"), self.value(
                f"extractelement {kind} {name}, i64 1"
            )
        found = []
        for first in (0, half):
            numbers = ", ".join(f"i32 {first + i}" for i in range(half))
            mask = f"<{half} x i32> <{numbers}>"
            found.append(self.value(f"shufflevector {kind} {name}, {kind} poison, {mask}"))
        return found[0], found[1]

    def label(self, name: str, falls_through: bool = True) -> None:
        """Begin a part that may be jumped to."""
        if falls_through:
            self.do(f"br label %{name}")
        self.lines.append(f"{name}:")

    @contextmanager
    def loop(self, start: str | int, stop: str | int, step: str | int = 1) -> Iterator[str]:
        """Repeat what is written inside, with a counter."""
        counter = self.variable("i64", str(start))
        with self.repeat(lambda: self.get(counter), stop) as i:
            yield i
            self.set(counter, self.add(i, step))

    @contextmanager
    def repeat(self, following: Callable[[], str], stop: str | int) -> Iterator[str]:
        """Repeat what is written inside with the number that follows, below a stop."""
        head, body, end = self.new("head"), self.new("body"), self.new("end")
        self.label(head)
        i = following()
        self.do(f"br i1 {self.is_(i, 'slt', stop)}, label %{body}, label %{end}")
        self.label(body, falls_through=False)
        yield i
        self.do(f"br label %{head}")
        self.label(end, falls_through=False)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Do what is written inside only where a condition holds."""
        body, end = self.new("then"), self.new("end")
        self.do(f"br i1 {condition}, label %{body}, label %{end}")
        self.label(body, falls_through=False)
        yield
        self.label(end)

    @contextmanager
    def unless(self, condition: str) -> Iterator[None]:
        """Do what is written inside only where a condition does not hold."""
        with self.when(self.value(f"xor i1 {condition}, true")):
            yield

    def copy(
        self, size: int, to: str, source: str, count: str, *, step: str = "", onto: str = ""
    ) -> None:
        """Copy elements of a size, side by side or with a step in bytes to another step."""
        steps = f"i64 {step or size}, i64 {onto or size}"
        self.do(f"call void @copy{size}(ptr {to}, ptr {source}, i64 0, {steps}, i64 {count})")

    def function(self, head: str) -> str:
        """Return the text of the function."""
        return "\n".join([f"define {head} {{", "entry:", *self.places, *self.lines, "}"])


def vector(dtype: str, lanes: int) -> str:
    """Return the type of a number, or of as many as there are lanes."""
    return TYPES[dtype] if lanes == 1 else f"<{lanes} x {TYPES[dtype]}>"


def constant(dtype: str, value: float, lanes: int) -> str:
    """Return a constant, in each lane."""
    if dtype == "bool":
        text = "true" if value else "false"
    elif dtype in ("float32", "float64"):
        text = f"0x{struct.pack('>d', value).hex()}"
    else:
        text = str(int(value))
    return text if lanes == 1 else f"splat ({TYPES[dtype]} {text})"


def _aligned(align: int | None) -> str:
    return "" if align is None else f", align {align}"
