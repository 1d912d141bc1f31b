"""Rules of Jobs and CronJobs: the fields whose defaults people regret, computed from the schedules themselves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

from croniter import croniter
from manifests import Manifests, Object

FIRST_MOMENT = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
LONGEST_NAME = 52  # the controller adds eleven characters, and a Job's name has at most 63
CONTROLLER_LOOKS_EVERY = timedelta(seconds=10)  # a shorter deadline is always missed
LEAST_TTL = timedelta(hours=72)
POD_FAILURE_RULES = [
    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    {"action": "FailJob", "onExitCodes": {"containerName": "thetaline", "operator": "In", "values": [2]}},
    {"action": "FailJob", "onExitCodes": {"containerName": "thetaline", "operator": "In", "values": [137]}},
]


def starts(cron_job: Object) -> list[datetime]:
    """Its starts in two weeks."""
    return _starts(cron_job["spec"]["schedule"])


@cache
def _starts(schedule: str) -> list[datetime]:
    times = croniter(schedule, FIRST_MOMENT - timedelta(seconds=1))
    listed = [times.get_next(datetime) for _ in range(15)]
    return [one for one in listed if one < FIRST_MOMENT + timedelta(days=14)]


def gap_of(cron_job: Object) -> timedelta:
    """Between two of its starts, the shortest."""
    return min(later - earlier for earlier, later in pairwise(starts(cron_job)))


def gap_to_next_stage(found: Manifests, cron_job: Object) -> timedelta:
    """From any of its starts to the next start of any other, the shortest; of one that is alone, to its own next."""
    others = [start for one in found.of("CronJob") if one is not cron_job for start in starts(one)]
    gaps = [other - start for start in starts(cron_job) for other in others if other >= start]
    return min(gaps, default=gap_of(cron_job))


def _jobs(found: Manifests) -> Iterator[tuple[str, Object]]:
    yield from ((one["metadata"]["name"], one["spec"]) for one in found.of("Job"))
    yield from ((one["metadata"]["name"], one["spec"]["jobTemplate"]["spec"]) for one in found.of("CronJob"))


def _secs(spec: Object, field: str) -> timedelta:
    return timedelta(seconds=spec.get(field, 10**9))


def schedule_is_of_utc(found: Manifests) -> Iterator[str]:
    for one in found.of("CronJob"):
        if one["spec"].get("timeZone") != "Etc/UTC" or "TZ=" in one["spec"]["schedule"]:
            yield one["metadata"]["name"]


def never_runs_beside_itself(found: Manifests) -> Iterator[str]:
    yield from (one["metadata"]["name"] for one in found.of("CronJob") if one["spec"]["concurrencyPolicy"] != "Forbid")


def starts_before_the_next_stage(found: Manifests) -> Iterator[str]:
    for one in found.of("CronJob"):
        if not CONTROLLER_LOOKS_EVERY < _secs(one["spec"], "startingDeadlineSeconds") < gap_to_next_stage(found, one):
            yield one["metadata"]["name"]


def ends_before_the_next_stage_starts(found: Manifests) -> Iterator[str]:
    """Started as late as it may, run as long as it may; so it ends before its own next start too."""
    for one in found.of("CronJob"):
        late, runs = one["spec"], one["spec"]["jobTemplate"]["spec"]
        end = _secs(late, "startingDeadlineSeconds") + _secs(runs, "activeDeadlineSeconds")
        if end > gap_to_next_stage(found, one):
            yield one["metadata"]["name"]


def keeps_its_history(found: Manifests) -> Iterator[str]:
    for one in found.of("CronJob"):
        kept = [one["spec"].get(name) for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit")]
        if None in kept or min(kept) < 3:
            yield one["metadata"]["name"]


def name_leaves_room(found: Manifests) -> Iterator[str]:
    yield from (name for name in found.names("CronJob") if len(name) > LONGEST_NAME)


def is_bounded_in_time(found: Manifests) -> Iterator[str]:
    yield from (name for name, spec in _jobs(found) if "activeDeadlineSeconds" not in spec)


def stays_over_a_weekend(found: Manifests) -> Iterator[str]:
    yield from (name for name, spec in _jobs(found) if _secs(spec, "ttlSecondsAfterFinished") < LEAST_TTL)


def tells_failures_apart(found: Manifests) -> Iterator[str]:
    """Evicted: again; bad input or setting, out of memory: at once failed; anything else: again, a few times."""
    for name, spec in _jobs(found):
        rules = spec.get("podFailurePolicy", {}).get("rules")
        never = spec["template"]["spec"].get("restartPolicy") == "Never"
        if rules != POD_FAILURE_RULES or not never or not 1 <= spec.get("backoffLimit", 6) <= 3:
            yield name


RULES = (
    schedule_is_of_utc,
    never_runs_beside_itself,
    starts_before_the_next_stage,
    ends_before_the_next_stage_starts,
    keeps_its_history,
    name_leaves_room,
    is_bounded_in_time,
    stays_over_a_weekend,
    tells_failures_apart,
)
