"""What an organisation lets its pages show, and what is asked of a batch of reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

from thetaline.learning.school_calendar import UTC_DAYS, SchoolCalendar
from thetaline.reports.descriptors import Descriptors, default_descriptors, read_descriptors
from thetaline.reports.value import Audience, Language
from thetaline.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Learners and families see no percentile, which may discourage, unless allowed; risk and segments are staff's."""

    show_percentile_to_learners: bool = False
    show_percentile_to_families: bool = False
    show_risk_to_teachers: bool = True
    show_segment_to_teachers: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As REPORT_SHOW_… say."""
        return cls(**{one.name: getattr(settings, f"report_{one.name}") for one in fields(cls)})

    def shows_percentile(self, audience: Audience) -> bool:
        """Whether this reader's page has a percentile."""
        allowed = {
            Audience.LEARNER: self.show_percentile_to_learners,
            Audience.FAMILY: self.show_percentile_to_families,
        }
        return allowed.get(audience, True)

    def shows_risk(self, audience: Audience) -> bool:
        """Whether this reader's page has the chance of silence; a learner's and a family's never have."""
        return audience is Audience.TEACHER and self.show_risk_to_teachers

    @staticmethod
    def shows_forecast(audience: Audience) -> bool:
        """Whether this reader's page has a forecast: its intended use is for staff alone, whatever the settings say."""
        return audience is Audience.TEACHER

    def shows_segment(self, audience: Audience) -> bool:
        """Whether this reader's page has a segment; a learner's and a family's never have."""
        return audience is Audience.TEACHER and self.show_segment_to_teachers


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """For whom a batch is made. `names` are what pages call learners; one without is called by the id.

    `theta_days` is the length of the window that θ of a day is estimated from, `default_target` the level of a goal
    that names none.
    """

    audience: Audience
    language: Language
    policy: Policy = Policy()
    names: Mapping[str, str] = field(default_factory=dict)
    descriptors: Descriptors = field(default_factory=default_descriptors)
    calendar: SchoolCalendar = UTC_DAYS
    theta_days: int = 30
    default_target: float = 0.0


def options_of(
    settings: Settings, *, audience: Audience, language: Language, names: Mapping[str, str] | None = None
) -> ReportOptions:
    """What the settings say of a batch. Raises InputError for a file of levels that is wrong."""
    return ReportOptions(
        audience=audience,
        language=language,
        policy=Policy.of(settings),
        names=names or {},
        calendar=SchoolCalendar(settings.time_zone),
        theta_days=settings.mirt_lookback_days,
        default_target=settings.metrics_default_target,
        descriptors=descriptors_of(settings),
    )


def descriptors_of(settings: Settings) -> Descriptors:
    """The levels of REPORT_LEVELS_FILE, else the shipped ones. Raises InputError for a file that is wrong."""
    given = settings.report_levels_file
    return read_descriptors(Path(given).expanduser()) if given else default_descriptors()
