"""The command that lists the array libraries and devices of this machine."""

from __future__ import annotations

import argparse

from .. import _kernels, settings
from .._backends.libraries import installed, version_of
from .console import say


def run(_: argparse.Namespace) -> int:
    """List what is installed, and what runs kernels."""
    off = "turned off" if not settings.kernels() else _kernels.why_not()
    way = f"off: {off}" if off else "on"
    say(f"{'kernels':<18}{_kernels.version() or 'not installed':<16}{way}\n")
    launcher = version_of("cuda-core")
    how = "launches them for torch on a GPU" if launcher else "pip install 'focalcore[cuda]'"
    say(f"{'cuda-core':<18}{launcher or 'not installed':<16}{how}\n")
    for library in installed():
        found = ", ".join(library.devices) or library.note
        say(f"{library.name:<18}{library.version or 'not installed':<16}{found}\n")
    return 0
