"""Losses of predictions that come in batches or in files, as reports that are merged."""

from ._source import BadDataError, Names
from ._task import TASKS
from .file_report import FileReport, evaluate
from .focal_report import FocalReport
from .predictions import CHUNK_ROWS, Predictions, open_predictions
from .report import Report

__all__ = [
    "CHUNK_ROWS",
    "TASKS",
    "BadDataError",
    "FileReport",
    "FocalReport",
    "Names",
    "Predictions",
    "Report",
    "evaluate",
    "open_predictions",
]
