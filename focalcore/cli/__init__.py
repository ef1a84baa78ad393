"""The command line: score files of predictions, list the array libraries of this machine."""

from __future__ import annotations

from collections.abc import Sequence

from ..evaluation.readers import BadDataError
from .console import BAD_DATA, GOOD, INTERRUPTED, WRONG_USAGE, complain, say, silence
from .parser import parser

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit code."""
    try:
        try:
            options = parser().parse_args(arguments)
            return int(options.run(options))
        finally:
            say("")  # flushes what --help wrote, so that an error of writing it is raised here
    except BadDataError as error:
        return complain(BAD_DATA, str(error))
    except BrokenPipeError:  # the reader has closed the pipe
        silence()
        return GOOD
    except OSError as error:  # files are read and written elsewhere: this is stdout
        silence()
        return complain(WRONG_USAGE, f"can't write to stdout ({error.strerror or error})")
    except KeyboardInterrupt:
        return INTERRUPTED
