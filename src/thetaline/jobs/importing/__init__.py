"""`thetaline import`: answers from CSV, JSON lines or Parquet into exam_results and question."""

from thetaline.jobs.importing.columns import ParseOptions, Role, TimeUnit
from thetaline.jobs.importing.command import app, main
from thetaline.jobs.importing.import_file import import_file

__all__ = ["ParseOptions", "Role", "TimeUnit", "app", "import_file", "main"]
