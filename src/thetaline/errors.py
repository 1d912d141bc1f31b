"""Every error that thetaline raises on purpose.

    ThetalineError                 exit 1
    ├── InputError                 exit 2   what was handed in is wrong: data, arguments, files
    │   ├── ResponsesError         responses that cannot be calibrated or scored
    │   ├── ItemsError             item parameters that make no sense
    │   ├── NotFittedError         data that do not carry the model
    │   └── FileRowsError          a file with rows that cannot be taken
    ├── SettingsError              exit 2   an environment variable out of its rule
    ├── CalibrationError           exit 1   a fit that broke down: a likelihood that is not a number
    ├── DatabaseError              exit 1   unreachable, refused, not migrated, embedded server faults
    │   └── MigrationError
    ├── StorageError               exit 1   a store of reports that is unreachable, refuses, or lacks what was asked for
    ├── ServiceError               exit 1   the IRT service over HTTP refused, failed or could not be reached
    └── JobError                   exit 1   a stage that could not do its work
        ├── LockedError            another run holds the job's lock
        └── HeldError              a run that the publication gate kept back

A message says what, where, the value, and what to do.
"""


class ThetalineError(Exception):
    """Root of the tree; `exit_code` is what a command ends with."""

    exit_code = 1


class InputError(ThetalineError, ValueError):
    """What was handed in is wrong; nothing was done."""

    exit_code = 2


class ResponsesError(InputError):
    """Responses that cannot be calibrated or scored; the message names the items or persons."""


class ItemsError(InputError):
    """Item parameters, anchors or models that make no sense; the message names the items."""


class NotFittedError(InputError):
    """Data that do not carry the model; the message is the reason, as people read it."""


class FileRowsError(InputError):
    """A file with rows that cannot be taken; the message has the first line numbers and reasons."""


class SettingsError(ThetalineError):
    """A setting with its name, its value and the rule that it breaks."""

    exit_code = 2


class CalibrationError(ThetalineError):
    """A fit that broke down; the message says in which cycle and of what."""


class DatabaseError(ThetalineError):
    """The database is unreachable, refuses, or its embedded server is at fault."""


class MigrationError(DatabaseError):
    """The schema is not the one that this version needs."""


class StorageError(ThetalineError):
    """A store of reports is unreachable, refuses, is full, or lacks an object; the message says what to do."""

    def __init__(self, message: str, *, absent: bool = False) -> None:
        """`absent`: the store answers, and has no such object."""
        super().__init__(message)
        self.absent = absent


class ServiceError(ThetalineError):
    """The IRT service refused, failed or could not be reached (`status` None); `detail` is the server's own."""

    def __init__(
        self, message: str, *, status: int | None = None, detail: object = None, request_id: str | None = None
    ) -> None:
        """`request_id` is what the server logged the request under."""
        super().__init__(message)
        self.status = status
        self.detail = detail
        self.request_id = request_id


class JobError(ThetalineError):
    """A stage that could not do its work."""


class LockedError(JobError):
    """Another run of the same job is under way; the message says who."""


class HeldError(JobError):
    """A run whose result the publication gate kept back; the message has the reasons."""


class ModelWarning(UserWarning):
    """A model that the data alone seldom determine; the message says what would."""
