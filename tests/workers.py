"""Processes that work together, as a training on several machines has them."""

import datetime
import multiprocessing
import multiprocessing.connection
import pickle
import tempfile
import traceback

import torch
import torch.distributed as dist

PATIENCE = datetime.timedelta(seconds=120)  # who waits longer waits for ever


class Workers:
    """Processes that talk over gloo. They start with the first task, and wait for the next."""

    def __init__(self, number):
        self._number, self._processes, self._connections, self._folder = number, [], [], None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop()

    def map(self, function, arguments):
        """What a function gives on each worker, called with the arguments of this worker."""
        if not self._processes:
            self._start()
        try:
            for connection, own in zip(self._connections, arguments, strict=True):
                connection.send_bytes(pickle.dumps((function, own)))
            return self._answers()
        except BaseException:
            self._stop()  # the others may wait for the one that failed
            raise

    def _answers(self):
        answers = {}
        while waiting := [c for c in self._connections if c not in answers]:
            ready = multiprocessing.connection.wait(waiting, 3 * PATIENCE.total_seconds())
            if not ready:
                raise TimeoutError("the workers wait for each other")
            for connection in ready:
                answers[connection], error = pickle.loads(connection.recv_bytes())
                if error is not None:
                    raise RuntimeError(f"on a worker:\n{error}")
        return [answers[connection] for connection in self._connections]

    def _start(self):
        context, self._folder = _context(), tempfile.TemporaryDirectory()
        for rank in range(self._number):
            ours, theirs = context.Pipe()
            arguments = rank, self._number, self._folder.name, theirs
            process = context.Process(target=_work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._connections.append(ours)

    def _stop(self):
        for process, connection in zip(self._processes, self._connections, strict=True):
            process.kill()
            process.join()
            connection.close()
        if self._folder is not None:
            self._folder.cleanup()
        self._processes, self._connections, self._folder = [], [], None


def _context():
    """From one process that has imported torch, where the system can; nothing else runs there."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "torch.distributed.fsdp", "torch.distributed.tensor"])
    return context


def _work(rank, number, folder, connection):
    torch.set_num_threads(1)
    meetings = 0
    while True:
        if not dist.is_initialized():  # at the start, and after a task that has left the group
            meetings += 1
            address = f"file://{folder}/{meetings}"
            dist.init_process_group("gloo", address, PATIENCE, rank=rank, world_size=number)
        function, arguments = pickle.loads(connection.recv_bytes())
        try:
            answer = pickle.dumps((function(*arguments), None))
        except BaseException:  # what pytest raises is no Exception
            answer = pickle.dumps((None, traceback.format_exc()))
        connection.send_bytes(answer)
