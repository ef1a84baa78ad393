"""What the command line says, on whatever stands behind stdout and stderr."""

from __future__ import annotations

import contextlib
import os
import sys

GOOD, ABOVE, WRONG_USAGE, BAD_DATA, INTERRUPTED = 0, 1, 2, 3, 130  # the exit codes


def say(text: str) -> None:
    """Write a text to stdout, with escapes for characters that its encoding lacks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), end="", flush=True)


def complain(code: int, message: str) -> int:
    """Write what is wrong to stderr, in one line, and return the exit code."""
    print(f"focalcore: {one_line(message)}", file=sys.stderr)
    return code


def one_line(text: str) -> str:
    """Return a text in one line."""
    return " ".join(text.splitlines())


def silence() -> None:
    """Send stdout to nowhere, because at exit Python would try again to write what is left."""
    with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
