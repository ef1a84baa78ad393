"""Functions in LLVM IR that copy strided memory to where a vector can be read, and back.

A table describes how an array lies: the number of its axes, then the length of each and its step in
bytes, the last axis first. Elements are numbered in the order of the rows (C order).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..writer import Variable, Writer

MOST_AXES = 32
AT_ONCE = 4  # rows that are turned at once: a store has the class of each


def functions(width: int, kernel: str) -> str:
    """Return the text of those that a kernel calls, for vectors of a width."""
    texts = {"offsets": _offsets()}
    for size in (1, 2, 4, 8):
        texts[f"gather{size}"] = _gather(size, width)
        texts[f"turn{size}"] = _turn(size, width)
        texts[f"turn_back{size}"] = _turn_back(size, width)
    called = "\n".join(text for name, text in texts.items() if f"@{name}(" in kernel)
    copies = (_copy(size) for size in (1, 2, 4, 8) if f"@copy{size}(" in called + kernel)
    return "\n".join((called, *copies))


def _walk(w: Writer, start: str, count: str, visit: Callable[[str, str], None]) -> None:
    """Visit elements of an array by its %table: with its number from 0 on, and its offset."""
    n_axes = w.load("i64", "%table")
    axes, index = w.at("%table", "8"), w.place("i64", MOST_AXES)
    left, offset = w.variable("i64", start), w.variable("i64", "0")
    with w.loop(0, n_axes) as axis:
        length, step = _axis(w, axes, axis)
        number = w.get(left)
        rest = w.value(f"urem i64 {number}, {length}")
        w.set(left, w.value(f"udiv i64 {number}, {length}"))
        w.store("i64", rest, w.at(index, w.mul(axis, 8)))
        w.set(offset, w.add(w.get(offset), w.mul(rest, step)))
    length, step = _axis(w, axes, "0")
    done = w.variable("i64", "0")
    with w.repeat(lambda: w.get(done), count) as begin:
        first, place = w.load("i64", index), w.get(offset)
        run = w.least(w.sub(count, begin), w.sub(length, first))
        with w.loop(0, run) as i:
            visit(w.add(begin, i), w.add(place, w.mul(i, step)))
        w.set(done, w.add(begin, run))
        w.set(offset, w.add(place, w.mul(run, step)))
        w.store("i64", w.add(first, run), index)
        _carry(w, axes, index, n_axes, offset)


def _carry(w: Writer, axes: str, index: str, n_axes: str, offset: Variable) -> None:
    """Go on to the next run, where an axis is at its end."""
    with w.loop(0, w.sub(n_axes, 1)) as axis:
        length, step = _axis(w, axes, axis)
        at = w.at(index, w.mul(axis, 8))
        is_full = w.is_(w.load("i64", at), "sge", length)
        with w.when(is_full):
            w.store("i64", "0", at)
            following = w.add(axis, 1)
            _, step_of_next = _axis(w, axes, following)
            after = w.at(index, w.mul(following, 8))
            w.store("i64", w.add(w.load("i64", after), 1), after)
            back = w.sub(step_of_next, w.mul(length, step))
            w.set(offset, w.add(w.get(offset), back))


def _axis(w: Writer, axes: str, axis: str) -> tuple[str, str]:
    at = w.at(axes, w.mul(axis, 16))
    return w.load("i64", at), w.load("i64", w.at(at, "8"))


def _offsets() -> str:
    """Write the offsets of elements, and return 1 where they lie side by side."""
    w = Writer()
    is_dense = w.variable("i64", "1")

    def visit(i: str, offset: str) -> None:
        w.store("i64", offset, w.at("%to", w.mul(i, 8)))
        expected = w.add(w.load("i64", "%to"), w.mul(i, "%size"))
        is_next = w.value(f"zext i1 {w.is_(offset, 'eq', expected)} to i64")
        w.set(is_dense, w.value(f"and i64 {w.get(is_dense)}, {is_next}"))

    _walk(w, "%start", "%count", visit)
    w.do(f"ret i64 {w.get(is_dense)}")
    head = "internal i64 @offsets(ptr %to, ptr %table, i64 %start, i64 %count, i64 %size) noinline"
    return w.function(head)


def _gather(size: int, width: int) -> str:
    """Copy elements side by side, up to a whole vector, of which the rest is 0."""
    w, kind = Writer(), f"i{8 * size}"

    def visit(i: str, offset: str) -> None:
        element = w.load(kind, w.at("%from", offset), 1)
        w.store(kind, element, w.at("%to", w.mul(i, size)), size)

    is_dense = w.value("icmp eq ptr %table, null")
    with w.when(is_dense):
        w.do(
            f"call void @copy{size}(ptr %to, ptr %from, i64 %start, i64 {size}, i64 {size}, "
            f"i64 %count)"
        )
    with w.when(w.value(f"xor i1 {is_dense}, true")):
        _walk(w, "%start", "%count", visit)
    whole = w.value(f"and i64 {w.add('%count', width - 1)}, -{width}")
    with w.loop("%count", whole) as i:
        w.store(kind, "0", w.at("%to", w.mul(i, size)), size)
    w.do("ret void")
    head = f"internal void @gather{size}(ptr %to, ptr %from, ptr %table, i64 %start, i64 %count)"
    return w.function(f"{head} noinline")


def _copy(size: int) -> str:
    """Copy elements from a place that is counted from a start, with a step to a step."""
    w, kind = Writer(), f"i{8 * size}"
    source = w.at("%from", w.mul("%start", "%step"))
    with w.loop(0, "%count") as i:
        element = w.load(kind, w.at(source, w.mul(i, "%step")), 1)
        w.store(kind, element, w.at("%to", w.mul(i, "%onto")), 1)
    w.do("ret void")
    return w.function(
        f"internal void @copy{size}(ptr %to, ptr %from, i64 %start, i64 %step, i64 %onto, "
        f"i64 %count) noinline"
    )


def _turn(size: int, width: int) -> str:
    """Copy rows at %offsets so that a class of all of them lies side by side."""
    w, kind = Writer(), f"i{8 * size}"
    with w.when(w.is_("%count", "slt", width)), w.loop(0, w.mul("%classes", width)) as i:
        w.store(kind, "0", w.at("%to", w.mul(i, size)), size)
    for rows, row in _some_rows(w):
        sources = [_row_of(w, "%from", row, k) for k in range(rows)]
        target = w.at("%to", w.mul(row, size))
        with w.loop(0, "%classes") as j:
            place, packed = w.mul(j, "%step"), "poison"
            for k, source in enumerate(sources):
                element = w.load(kind, w.at(source, place), 1)
                packed = w.value(
                    f"insertelement <{rows} x {kind}> {packed}, {kind} {element}, i64 {k}"
                )
            w.store(f"<{rows} x {kind}>", packed, w.at(target, w.mul(j, size * width)), size)
    w.do("ret void")
    return w.function(_head_of_turn(f"turn{size}"))


def _turn_back(size: int, width: int) -> str:
    """Copy to rows at %offsets from where a class of all of them lies side by side."""
    w, kind = Writer(), f"i{8 * size}"
    for rows, row in _some_rows(w):
        targets = [_row_of(w, "%to", row, k) for k in range(rows)]
        source = w.at("%from", w.mul(row, size))
        with w.loop(0, "%classes") as j:
            place = w.mul(j, "%step")
            packed = w.load(f"<{rows} x {kind}>", w.at(source, w.mul(j, size * width)), size)
            for k, target in enumerate(targets):
                element = w.value(f"extractelement <{rows} x {kind}> {packed}, i64 {k}")
                w.store(kind, element, w.at(target, place), 1)
    w.do("ret void")
    return w.function(_head_of_turn(f"turn_back{size}"))


def _some_rows(w: Writer) -> Iterator[tuple[int, str]]:
    """Visit the rows, several at once and then what is left: how many, and the first of them."""
    whole = w.value(f"and i64 %count, -{AT_ONCE}")
    for rows, start, stop in ((AT_ONCE, "0", whole), (1, whole, "%count")):
        with w.loop(start, stop, rows) as row:
            yield rows, row


def _row_of(w: Writer, base: str, first: str, k: int) -> str:
    """Return a pointer to a row that is k rows after one."""
    number = w.add(first, k) if k else first
    return w.at(base, w.load("i64", w.at("%offsets", w.mul(number, 8))))


def _head_of_turn(name: str) -> str:
    return (
        f"internal void @{name}(ptr %to, ptr %from, ptr %offsets, i64 %step, i64 %classes, "
        f"i64 %count) noinline"
    )
