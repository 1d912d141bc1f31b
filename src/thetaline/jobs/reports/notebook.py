"""A learner's week in notebooks and Quarto documents: each section of the report shows itself."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from thetaline import db
from thetaline.errors import InputError
from thetaline.jobs.reports.read import weekly_reports
from thetaline.jobs.runner import prepare_database
from thetaline.learning.windows import monday
from thetaline.reports.learner_page import learner_page
from thetaline.reports.markdown import escaped, section_markdown
from thetaline.reports.page import Page
from thetaline.reports.policy import options_of
from thetaline.reports.value import Audience, Language, WeeklyReport
from thetaline.settings import load


@dataclass(frozen=True, slots=True)
class Shown:
    """Text that a notebook shows as Markdown."""

    markdown: str

    def _repr_markdown_(self) -> str:
        return self.markdown


@dataclass(frozen=True, slots=True)
class WeeklyPage:
    """The page of a report; `value` is what it was made of."""

    value: WeeklyReport
    page: Page

    @property
    def head(self) -> Shown:
        """Headline and lead."""
        lead = "\n\n".join(map(escaped, self.page.lead))
        return Shown(f"*{escaped(self.page.kicker)}*\n\n# {escaped(self.page.headline)}\n\n{lead}\n")

    @property
    def keys(self) -> tuple[str, ...]:
        """The sections that this page has, in their order."""
        return tuple(section.key for section in self.page.sections)

    def section(self, key: str) -> Shown:
        """The section, or nothing where this page has none of that name."""
        return Shown("".join(section_markdown(one) for one in self.page.sections if one.key == key))


def weekly_page(
    user_id: str, week: str | date, *, language: str = "en", audience: str = "learner", **settings: Any
) -> WeeklyPage:
    """The report of a learner for the ISO week of that day, from the configured database.

    `settings` override those of the environment. Raises InputError for a learner without answers, a week that is not
    over, a language or audience that there is not.
    """
    chosen = load(**settings)
    day = date.fromisoformat(week) if isinstance(week, str) else week
    options = options_of(chosen, audience=_one_of(Audience, audience), language=_one_of(Language, language))
    with db.connect(prepare_database(chosen), name="thetaline notebook") as conn:
        report = next(iter(weekly_reports(conn, monday(day), [user_id], options=options)))
    return WeeklyPage(report, learner_page(report, options.descriptors))


def _one_of(kind: Any, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise InputError(f"{text!r} is none of {', '.join(kind)}") from None
