"""`thetaline import FILE`: answers from CSV, JSON lines or Parquet into exam_results and question."""

from thetaline.jobs.import_answers.columns import Reading, Role, TimeUnit
from thetaline.jobs.import_answers.command import app, main
from thetaline.jobs.import_answers.work import import_file

__all__ = ["Reading", "Role", "TimeUnit", "app", "import_file", "main"]
