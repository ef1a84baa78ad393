"""The scoring of a file of predictions, read in chunks and reported as a table or as JSON."""

from ._source import BadDataError, Names
from ._task import TASKS
from .predictions import CHUNK_ROWS, Predictions, open_predictions
from .tally import Report, evaluate

__all__ = [
    "CHUNK_ROWS",
    "TASKS",
    "BadDataError",
    "Names",
    "Predictions",
    "Report",
    "evaluate",
    "open_predictions",
]
