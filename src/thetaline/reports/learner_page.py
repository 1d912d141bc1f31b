"""A learner's week as a page: the sections in the order in which they are needed."""

from thetaline.reports.descriptors import Descriptors
from thetaline.reports.page import Page
from thetaline.reports.sections import background, outlook, practice, progress
from thetaline.reports.value import Absent, WeeklyReport
from thetaline.reports.wording import Words, as_word


def learner_page(report: WeeklyReport, descriptors: Descriptors) -> Page:
    """The page for the report's reader in the report's language."""
    reader = report.reader
    words = Words(reader.language, reader.audience, reader.called)
    headline, lead = progress.headline(report.headline, words)
    general = None if isinstance(report.standing, Absent) else report.standing.theta
    sections = (
        progress.trend(report.trend, words),
        progress.standing(report.standing, words, descriptors),
        practice.examples(report.examples, words),
        practice.topics(report.topics, general, words),
        practice.item_map(report.item_map, words),
        outlook.goals(report.goals, words),
        outlook.next_steps(report.next_topics, report.next_items, words),
        outlook.kpis(report.kpis, words),
        background.effort(report.effort, words),
        background.risk(report.risk, words),
        background.segment(report.segment, words),
        background.notes(report.measurement, report.sources, words),
    )
    return Page(
        language=reader.language,
        title=words("page.title"),
        kicker=_kicker(report, words),
        headline=headline,
        lead=lead,
        sections=tuple(section for section in sections if section is not None),
        footer=(words("page.made", day=words.write.day(report.as_of)),),
        data_label=words("page.data"),
        appendix_title=words("page.appendix"),
    )


def _kicker(report: WeeklyReport, words: Words) -> str:
    period = words.write.period(report.week, report.as_of)
    if report.reader.class_name is None:
        return words("page.kicker", period=period)
    return words("page.kicker_class", period=period, class_name=as_word(report.reader.class_name))
