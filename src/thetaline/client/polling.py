"""How long to wait between two looks at a large fit, and for how long in all."""

from collections.abc import Callable
from uuid import UUID

from thetaline import api
from thetaline.client.retries import RETRIED_STATUS
from thetaline.errors import ServiceError

OnProgress = Callable[[api.Job], None]
Clock = Callable[[], float]
FIRST_WAIT_SECS = 0.1
LONGEST_WAIT_SECS = 2.0
LOOK_SECS = 15.0  # a service that takes longer to say how a fit stands is away for now


class Polling:
    """Looks at first every tenth of a second, then ever more rarely, until `timeout_secs` have gone."""

    def __init__(self, timeout_secs: float, clock: Clock) -> None:
        """The wait begins now; `clock` says the seconds."""
        self._timeout_secs, self._clock = timeout_secs, clock
        self._ends_at = clock() + timeout_secs
        self._wait = FIRST_WAIT_SECS
        self._trouble = ""

    def next_wait(self, job_id: UUID) -> float:
        """Seconds until the next look. Raises ServiceError when the time is up."""
        left = self._ends_at - self._clock()
        if left <= 0:
            said = f"job {job_id} was not done after {self._timeout_secs:g} s; the service was asked to cancel it"
            raise ServiceError(f"{said}{self._trouble}")
        wait, self._wait = self._wait, min(self._wait * 1.3, LONGEST_WAIT_SECS)
        return min(wait, left)

    @property
    def look_secs(self) -> float:
        """How long one look may take: never far beyond the wait itself."""
        return max(1.0, min(LOOK_SECS, self._ends_at - self._clock()))

    def require_passing(self, error: ServiceError) -> None:
        """Raise it unless it only says that the service is away for now: the fit goes on, and so does the wait."""
        if error.status is not None and error.status not in RETRIED_STATUS:
            raise error
        self._trouble = f" (the last look: {error})"

    @staticmethod
    def require_done(job: api.Job) -> None:
        """Raise ServiceError with the job's own error unless it is done."""
        if job.state is not api.JobState.DONE:
            said = (job.error or {}).get("error", "nothing is known of why")
            raise ServiceError(f"job {job.job_id} is {job.state}: {said}", detail=job.error)
