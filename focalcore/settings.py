"""The settings of how focalcore runs here, which change the time it takes, never the numbers.

Both settings hold for the whole process, every thread of it.
"""

from __future__ import annotations

import os
from numbers import Integral
from typing import Any


class _Setting:
    """A setting that holds from construction on, or as a context manager until the block ends."""

    def __init__(self, name: str, value: int) -> None:
        self._name, self._before = name, getattr(_settings, name)
        setattr(_settings, name, value)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        setattr(_settings, self._name, self._before)


class use_threads(_Setting):  # noqa: N801 - called as a function is
    """Set how many threads NumPy's large arrays are worked on by; also a context.

    Results are the same, bit for bit, whatever the number. Logits of less than 8 MB are worked on
    by the calling thread alone. torch and JAX have threads, and settings for them, of their own.

    Parameters
    ----------
    number : int, optional
        Threads, at least 1. None: as at the start, what the environment variable
        ``FOCALCORE_THREADS`` says, or one for each processor that the process may use, 8 at most.

    Raises
    ------
    ValueError
        A number below 1.

    See Also
    --------
    use_compiler : Run what is eager through a compiler.

    Examples
    --------
    >>> import focalcore
    >>> with focalcore.use_threads(1):
    ...     print(focalcore.sigmoid_focal_loss([0.0], [1]).round(4))
    [0.1733]
    """

    def __init__(self, number: int | None = None) -> None:
        super().__init__("threads", _default_threads() if number is None else _at_least_one(number))


class use_compiler(_Setting):  # noqa: N801 - called as a function is
    """Run eager calls on torch and NumPy through a cached ``torch.compile``; also a context.

    From some hundred thousand elements on up to twice as fast as without. The first call with other
    options or another dtype takes seconds to compile; later ones, with arrays of any size, do not.
    Where torch or its compiler is missing, a warning says so once and all goes on without. Set at
    the start by the environment variable ``FOCALCORE_COMPILER=1``.

    Parameters
    ----------
    on : bool, default True
        Whether to compile.

    See Also
    --------
    use_threads : How many threads NumPy's arrays are worked on by.

    Examples
    --------
    >>> import focalcore
    >>> with focalcore.use_compiler(False):
    ...     print(focalcore.sigmoid_focal_loss([0.0], [1]).round(4))
    [0.1733]
    """

    def __init__(self, on: bool = True) -> None:
        super().__init__("compiler", bool(on))


class _Settings:
    def __init__(self) -> None:
        self.threads = _default_threads()
        self.compiler = _is_on("FOCALCORE_COMPILER")


def threads() -> int:
    """Return how many threads to work with."""
    return _settings.threads


def compiler() -> bool:
    """Tell whether to compile eager calls."""
    return _settings.compiler


def _default_threads() -> int:
    asked = os.environ.get("FOCALCORE_THREADS", "")
    if not asked:
        return min(8, _processors())
    if not asked.isdecimal():
        raise ValueError(f"FOCALCORE_THREADS must be a number of threads; found {asked!r}")
    return _at_least_one(int(asked))


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: what this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _at_least_one(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, Integral) or number < 1:
        raise ValueError(f"threads must be a number of at least 1; found {number!r}")
    return int(number)


def _is_on(name: str) -> bool:
    value = os.environ.get(name, "0")
    if value not in ("0", "1", ""):
        raise ValueError(f"{name} must be 0 or 1; found {value!r}")
    return value == "1"


_settings = _Settings()
