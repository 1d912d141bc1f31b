"""`thetaline import`: answers from CSV, JSON lines or Parquet into exam_results and question."""

from thetaline.jobs.importing.command import app, main
from thetaline.jobs.importing.import_file import import_file
from thetaline.jobs.importing.options import ParseOptions
from thetaline.jobs.importing.request import ImportRequest

__all__ = ["ImportRequest", "ParseOptions", "app", "import_file", "main"]
