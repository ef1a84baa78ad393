"""Losses of predictions that come in batches or in files, as reports that are merged."""

from .._typing import TASKS
from .file_report import FileReport, evaluate
from .focal_report import FocalReport
from .predictions import CHUNK_ROWS, Opening, Predictions
from .readers import BadDataError, Names, Place, Reading
from .report import Report

__all__ = [
    "CHUNK_ROWS",
    "TASKS",
    "BadDataError",
    "FileReport",
    "FocalReport",
    "Names",
    "Opening",
    "Place",
    "Predictions",
    "Reading",
    "Report",
    "evaluate",
]
