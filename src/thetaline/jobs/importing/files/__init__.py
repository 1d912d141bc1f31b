"""Files of answers as batches of text columns with line numbers; memory holds one batch.  One module a kind of file."""

from thetaline.jobs.importing.files.answer_file import AnswerFile, Reason, RejectedRow, RowBatch
from thetaline.jobs.importing.files.opening import open_answer_file

__all__ = ["AnswerFile", "Reason", "RejectedRow", "RowBatch", "open_answer_file"]
