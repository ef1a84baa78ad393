"""Threads that share the work of a call, without spinning and without the interpreter's lock.

A helper waits in the kernel of the operating system until there is work. The calling thread works
too, and waits only for a helper that has begun: where other processes keep the cores busy, and no
helper gets its turn, it does all of the work itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

Work = Callable[[], None]  # takes the next part of the work until none is left


class _Job:
    """The work of one call, which helpers may join until the caller closes it."""

    def __init__(self, work: Work) -> None:
        self.work, self.lock = work, threading.Lock()
        self.running = 0
        self.is_closed: bool = False
        self.last_has_left = threading.Lock()
        self.last_has_left.acquire()
        self.error: BaseException | None = None

    def help(self) -> None:
        """Do a part of the work, if there may still be some."""
        with self.lock:
            if self.is_closed:
                return
            self.running += 1
        try:
            self.work()
        except BaseException as error:  # it belongs to the caller
            self.error = error
        self._leave()

    def _leave(self) -> None:
        with self.lock:
            self.running -= 1
            if self.is_closed and not self.running:
                self.last_has_left.release()

    def close(self) -> None:
        """Take no more helpers, and wait for those that have begun."""
        with self.lock:
            self.is_closed = True
            is_left_to_wait = self.running > 0
        if is_left_to_wait:
            self._wait()
        if self.error is not None:
            raise self.error

    def _wait(self) -> None:
        """Wait, even if interrupted: a helper writes to memory that the caller would let go."""
        while True:
            try:
                self.last_has_left.acquire()
                return
            except KeyboardInterrupt as error:
                self.error = error


class _Helpers:
    """The helpers of the process, which are made when they are first needed."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[_Job] = SimpleQueue()
        self.number, self.lock = 0, threading.Lock()

    def ask(self, job: _Job, number: int) -> None:
        """Offer a job to a number of helpers."""
        if self.number < number:
            self._start(number)
        for _ in range(min(number, self.number)):
            self.queue.put(job)

    def _start(self, number: int) -> None:
        with self.lock:
            while self.number < number:
                helper = threading.Thread(target=self._serve, name="focalcore", daemon=True)
                try:
                    helper.start()
                except RuntimeError:  # the interpreter is shutting down
                    return
                self.number += 1

    def _serve(self) -> None:
        while True:
            self.queue.get().help()


def share(work: Work, threads: int) -> None:
    """Do work in a number of threads, of which the calling one is the first."""
    job = _Job(work)
    try:
        _helpers.ask(job, threads - 1)
        work()
    finally:
        job.close()


def _forget() -> None:
    """Start anew in a forked process, which has none of its parent's threads."""
    global _helpers
    _helpers = _Helpers()


_helpers = _Helpers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
