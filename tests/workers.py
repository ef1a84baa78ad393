"""Processes that work together, as a training on several machines has them."""

import contextlib
import datetime
import pathlib
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

PATIENCE = datetime.timedelta(seconds=120)  # who waits longer waits for ever


def run_on_workers(number, function):
    """What a function gives on each of several workers that talk over gloo, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = _work, (number, function, folder), number
        workers = mp.start_processes(*arguments, join=False, start_method=_start_method())
        _join(workers, time.monotonic() + 3 * PATIENCE.total_seconds())
        paths = (pathlib.Path(folder) / str(rank) for rank in range(number))
        return [torch.load(path) for path in paths]


def _start_method():
    """From one process that has imported torch, where the system can; nothing else runs there."""
    if "forkserver" not in mp.get_all_start_methods():
        return "spawn"
    mp.set_forkserver_preload(["torch", "torch.distributed.fsdp", "torch.distributed.tensor"])
    return "forkserver"


def _join(workers, deadline):
    while not workers.join(timeout=1):
        if time.monotonic() > deadline:
            for process in workers.processes:
                process.kill()
            raise TimeoutError("the workers wait for each other")


@contextlib.contextmanager
def process_group(rank, number, folder):
    """The group of all workers, while it lasts."""
    address = f"file://{folder}/meeting"
    dist.init_process_group("gloo", address, PATIENCE, rank=rank, world_size=number)
    try:
        yield
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _work(rank, number, function, folder):
    torch.set_num_threads(1)
    with process_group(rank, number, folder):
        torch.save(function(rank, number), f"{folder}/{rank}")
