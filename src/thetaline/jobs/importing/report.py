"""What an import tells people: how the file was read, what became of its rows, and what comes next."""

from collections.abc import Iterator, Mapping
from typing import Any

from thetaline.jobs.importing.columns import Role
from thetaline.jobs.importing.rejected_rows import RejectedRows
from thetaline.jobs.importing.request import FileMapping
from thetaline.jobs.runner import JobContext
from thetaline.learning.school_calendar import SchoolCalendar

SHORTEST_MEDIAN_MS, LONGEST_MEDIAN_MS = 500, 30 * 60_000  # of the time taken; beyond them the unit is doubtful


def mapping_in_words(mapping: FileMapping, units: Mapping[Role, str]) -> str:
    """The kind of the file; a line a role with its columns and what they count; what is not read."""
    lines = [f"{mapping.source.path.name}: {mapping.source.kind}"]
    lines += [f"  {role:<14}{text}" for role, text in mapping.in_words(units).items()]
    lines += [f"  {'rows with':<14}{one}" for one in mapping.options.filters]
    if mapping.ignored:
        lines.append(f"  {'not read':<14}{', '.join(mapping.ignored)}")
    return "\n".join(lines)


def result_in_words(counts: Mapping[str, Any], rejected: RejectedRows, *, dry_run: bool) -> str:
    """What became of the rows, what was left out, what is doubtful."""
    lines = [*_counted(counts, dry_run=dry_run), *_left_out(counts), *_doubts(counts)]
    if rejected.total:
        verb = "would be set aside" if dry_run else "set aside"
        lines.append(f"  {rejected.total:,} rows {verb} in {rejected.path}:\n{rejected.report()}")
    return "\n".join(lines)


def _counted(counts: Mapping[str, Any], *, dry_run: bool) -> Iterator[str]:
    done = "would be added" if dry_run else "added"
    yield f"{counts['rows']:,} rows read"
    yield (
        f"  {counts['answers']:,} answers {done} ({counts['unanswered']:,} of them unanswered questions): "
        f"{counts['learners']:,} learners, {counts['items']:,} questions ({counts['questions']:,} new), "
        f"{counts['sessions']:,} sessions"
    )
    if counts["already_stored"]:
        yield f"  {counts['already_stored']:,} answers are stored already, left as they are"
    if counts["with_several_topics"]:
        yield (
            f"  {counts['with_several_topics']:,} answers have several topics "
            f"({counts['rows_with_another_topic']:,} rows told another topic of one); features of topics use the first"
        )


def _left_out(counts: Mapping[str, Any]) -> Iterator[str]:
    if counts["filtered_rows"]:
        yield f"  {counts['filtered_rows']:,} rows left aside by --filter"
    if counts["empty_cells"]:
        yield f"  {counts['empty_cells']:,} empty cells are no answers"
    for reason, n in counts["left_out_values"].items():
        yield f"  {n:,} × {reason}: taken as unknown, the answer counts"


def _doubts(counts: Mapping[str, Any]) -> Iterator[str]:
    if known := counts["questions_of_other_files"]:
        yield (
            f"  {known['known']:,} of the questions, first {known['first']}, are known from {known['other']}: columns "
            "of one name are one question; if these are others, name the test by --item-prefix NAME"
        )
    median = counts["median_response_time_ms"]
    if median is not None and not SHORTEST_MEDIAN_MS <= median <= LONGEST_MEDIAN_MS:
        yield f"  warning: the median time taken is {median / 1000:g} s; is its unit right (--response-time-unit)?"


def other_days(read: SchoolCalendar, kept: SchoolCalendar) -> str:
    """Say where the zone that times were read in is not the one whose days and weeks count."""
    if str(read.zone) == str(kept.zone):
        return ""
    return (
        f"  warning: times are read in {read.zone}, but days and weeks are those of {kept.zone}; set "
        f"THETALINE_TIME_ZONE={read.zone} where the school is there"
    )


def calibration_command(counts: Mapping[str, Any], context: JobContext) -> str:
    """The command that calibrates the imported answers, once their last day is over: its window holds them all."""
    calendar = context.calendar
    first, last = (calendar.day_of(counts[name]) for name in ("first_answer", "last_answer"))
    days = (last - first).days + 1
    wider = f"MIRT_LOOKBACK_DAYS={days} " if days > context.settings.mirt_lookback_days else ""
    when = "" if last <= calendar.last_day_over(context.now) else f"when {last} is over, "
    return f"{when}{wider}thetaline calibrate --date {last}"
