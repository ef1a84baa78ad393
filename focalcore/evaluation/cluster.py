"""Files that are scored by the workers of a dask cluster, whose sums are merged here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .file_report import merged, report_of
from .focal_report import FocalReport
from .predictions import Opening
from .readers import BadDataError
from .report import Alpha

LOCAL = "local"


def sums_on(
    address: str,
    files: Sequence[Opening],
    gammas: Sequence[float],
    alpha: Alpha,
    chunk_rows: int,
    progress: Callable[[int], Any],
) -> FocalReport:
    """Return the merged sums of files; a file whose worker dies is given to another one.

    They are merged in the order of the files, so that workers' speed makes no difference.
    """
    from distributed import as_completed

    with _client(address) as client:
        futures = {
            client.submit(_state_of, opening, gammas, alpha, chunk_rows, pure=False): opening
            for opening in files
        }
        for future in as_completed(futures):
            if future.status == "error":
                raise _error(futures[future], future.exception(), futures)
            progress(1)
        states = client.gather(list(futures))
    return merged(map(FocalReport.from_state, states))


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """Return a client of a cluster, or of one that is made of processes here."""
    from distributed import Client, LocalCluster

    if address == LOCAL:
        with (
            LocalCluster(threads_per_worker=1, dashboard_address=None) as made,
            Client(made) as own,
        ):
            yield own
        return
    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise BadDataError(
            f"--dask {address}: no cluster answers ({error}); give a scheduler's address, as "
            f"tcp://host:8786, or local"
        ) from None
    with client:
        yield client


def _error(opening: Opening, error: BaseException, futures: dict[Any, Opening]) -> BadDataError:
    """Return what went wrong with a file, and how many others are done."""
    if isinstance(error, BadDataError):
        return error
    done = sum(future.status == "finished" for future in futures)
    name = opening.place.name if opening.place is not None else opening.names.scores
    return BadDataError(
        f"{name}: its worker failed ({type(error).__name__}); {done} of {len(futures)} files were "
        f"scored: give workers more memory, or fewer rows at a time with --chunk-rows"
    )


def _state_of(
    opening: Opening, gammas: Sequence[float], alpha: Alpha, chunk_rows: int
) -> dict[str, Any]:
    """Return the sums of a file, on a worker."""
    return report_of(opening.open(), gammas, alpha, chunk_rows=chunk_rows).state()
