"""Which kind of file it is, by the end of its name."""

from pathlib import Path

from thetaline.errors import InputError
from thetaline.jobs.importing.files.answer_file import AnswerFile, file_errors
from thetaline.jobs.importing.files.csv_file import csv_file
from thetaline.jobs.importing.files.json_lines import json_lines_file
from thetaline.jobs.importing.files.parquet_file import parquet_file

_KINDS = (
    ((".parquet", ".pq"), parquet_file),
    ((".jsonl", ".ndjson", ".json"), json_lines_file),
    ((".csv", ".tsv", ".tab", ".txt", ".dat"), csv_file),
)


def open_answer_file(path: Path) -> AnswerFile:
    """Recognise CSV, JSON lines (both also .gz) and Parquet by the name's end.

    Raises InputError when the file is absent, empty or of another kind.
    """
    if not path.is_file():
        raise InputError(f"{path}: {'this is no file' if path.exists() else 'there is no such file'}")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    stem = path.name.lower().removesuffix(".gz")
    for ends, opened in _KINDS:
        if stem.endswith(ends):
            with file_errors(path):
                return opened(path)
    raise InputError(f"{path}: unknown kind of file; known are .csv, .tsv, .jsonl, .ndjson (also .gz) and .parquet")
