"""The settings of how focalcore runs here, which change the time it takes, never the numbers.

Both settings hold for the whole process, every thread of it.
"""

from __future__ import annotations

import os
from numbers import Integral
from typing import Any


class _Setting:
    """A setting that holds from construction on, or as a context manager until the block ends."""

    def __init__(self, name: str, value: int | None) -> None:
        self._name, self._before = name, getattr(_settings, name)
        setattr(_settings, name, value)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        setattr(_settings, self._name, self._before)


class use_threads(_Setting):  # noqa: N801 - called as a function is
    """Set how many threads NumPy's large arrays are worked on by; also a context.

    Results are the same, bit for bit, whatever the number. Fewer than 65,536 logits are worked on
    by the calling thread alone, and so are all where there are no compiled kernels. torch and JAX
    have threads, and settings for them, of their own: torch's number is that of its kernels too.

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
    use_compiler : Run what is eager as a compiled kernel, or not.

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
    """Turn compiled kernels on or off; also a context.

    An eager call of NumPy, torch, CuPy or a chunk of dask runs a kernel: the formula compiled by
    llvmlite, from the extra ``fast``, at the first call with other options or types, which takes 60
    to 250 ms more. All these libraries run the same operations in the same order, and so give the
    same bits. This is on by default where llvmlite is there, and turned off by
    ``use_compiler(False)`` or the environment variable ``FOCALCORE_COMPILER=0``: then the library's
    own functions compute the same formula, on the host in blocks that the caches hold, slower, with
    the accuracy of these functions.

    On a GPU, kernels are on by default on the kinds on which a report shows that they agree with
    the host's: those of compute capability 9.0, such as the H100 and the H200. On other GPUs of
    NVIDIA, ``use_compiler(True)`` or ``FOCALCORE_COMPILER=1`` turns them on. CuPy loads them
    itself; torch needs cuda-core, from the extra ``cuda``, and goes its own way without it. Where
    kernels can't be made, loaded or launched, or were asked for and cuda-core isn't there, a
    warning says so once, and the library's own functions go on.

    Parameters
    ----------
    on : bool, default True
        True: kernels wherever there is a way. False: nowhere.

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
        self.checks = _is_on("FOCALCORE_CHECK")


def threads() -> int:
    """Return how many threads to work with."""
    return _settings.threads


def kernels() -> bool:
    """Tell whether eager calls run compiled kernels where these are known to be right."""
    return _settings.compiler is not False


def checks() -> bool:
    """Tell whether to wait for a device, to look at results and name a bad target."""
    return _settings.checks is True


def on_every_gpu() -> bool:
    """Tell whether eager calls run compiled kernels on GPUs, even where these were not tested."""
    return _settings.compiler is True


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


def _is_on(name: str) -> bool | None:
    """Return what an environment variable says, or None where it says nothing."""
    value = os.environ.get(name, "")
    if value not in ("0", "1", ""):
        raise ValueError(f"{name} must be 0 or 1; found {value!r}")
    return value == "1" if value else None


_settings = _Settings()
