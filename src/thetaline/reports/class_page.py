"""A class's week as a page for its teacher: groups by what to do next, and no order of merit."""

from thetaline.charts import Chart, ChartText, DataTable, Dot, Marker, stacked_dots
from thetaline.reports.class_value import ClassLearner, ClassReport, ClassTopic, NextStep
from thetaline.reports.formats import Word
from thetaline.reports.page import Block, Fact, Facts, Figure, Page, Section, Subheading, Table, Text
from thetaline.reports.sections.background import notes
from thetaline.reports.value import Absent, Audience, Estimate
from thetaline.reports.wording import Words, as_word


def class_page(report: ClassReport) -> Page:
    """The page in the report's language."""
    words = Words(report.language, Audience.TEACHER, report.name)
    count = words.write.count
    sections = (
        _next_steps(report.learners, words),
        _level(report, words),
        _topics(report.topics, words),
        notes(report.measurement, report.sources, words),
    )
    return Page(
        language=report.language,
        title=words("class.title"),
        kicker=words("class.kicker", period=words.write.period(report.week, report.as_of)),
        headline=words("class.headline", active=count(report.n_active), n=count(report.n_learners)),
        lead=(_growth(report.mean_slope, words),),
        sections=tuple(section for section in sections if section is not None),
        footer=(words("page.made", day=words.write.day(report.as_of)),),
        data_label=words("page.data"),
        appendix_title=words("page.appendix"),
    )


def _growth(slope: Estimate | Absent, words: Words) -> str:
    if isinstance(slope, Absent):
        return f"{words('class.no_growth')} {words.of('absent', slope)}"
    return words("class.growth", slope=words.write.signed(slope.value), span=words.span(slope))


def _next_steps(learners: tuple[ClassLearner, ...], words: Words) -> Section | None:
    """Every learner under the step that comes next, the most urgent first, by name within it."""
    blocks: list[Block] = []
    for step in NextStep:
        if group := [one for one in learners if one.next_step is step]:
            title = words("class.group", step=Word(words.of("next_step", step)), n=words.write.count(len(group)))
            table = DataTable(words.of("next_step_about", step), *_columns(group, words))
            blocks += [Subheading(title), Table(table)]
    return Section("next", words("class.next"), tuple(blocks)) if blocks else None


def _columns(group: list[ClassLearner], words: Words) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Head and rows; the chance of a long break where one is known for somebody of the group."""
    head = ["class.learner", "class.n_answers", "class.theta", "class.slope", "class.change"]
    rows = [
        [
            as_word(one.called),
            words.write.count(one.n_answers),
            words.valued(one.theta),
            words.valued(one.slope),
            words.of("learner_change", one.change),
        ]
        for one in group
    ]
    if any(one.risk is not None for one in group):
        head.append("class.risk")
        for row, one in zip(rows, group, strict=True):
            row.append("–" if one.risk is None else words.probability(one.risk))
    return tuple(map(words, head)), tuple(map(tuple, rows))


def _level(report: ClassReport, words: Words) -> Section:
    """The class on the scale: each learner a dot, the mean with its interval, the spread."""
    facts = [_known("class.mean", report.mean, words)]
    if isinstance(report.spread, Absent):
        facts.append(Fact(words("class.spread"), "–", words.of("absent", report.spread)))
    else:
        value = words.write.decimal(report.spread.value)
        facts.append(Fact(words("class.spread"), value, words("class.likely", span=words.span(report.spread))))
    known = [one for one in report.learners if one.theta is not None]
    figure = [Figure(_distribution(known, report.mean, words))] if known else []
    return Section("level", words("class.level"), (*figure, Facts(tuple(facts))))


def _known(key: str, found: Estimate | Absent, words: Words) -> Fact:
    if isinstance(found, Absent):
        return Fact(words(key), "–", words.of("absent", found))
    return Fact(words(key), words.write.decimal(found.value), words("class.likely", span=words.span(found)))


def _distribution(known: list[ClassLearner], mean: Estimate | Absent, words: Words) -> Chart:
    values = [one.theta.value for one in known if one.theta]
    low, high = words.write.decimal(min(values)), words.write.decimal(max(values))
    text = ChartText(
        "level",
        words("class.chart"),
        words("class.alt", n=words.write.count(len(values)), low=low, high=high),
        words("class.caption"),
        (_thetas(known, words),),
    )
    marker = None
    if not isinstance(mean, Absent):
        marker = Marker(
            words("class.mean_label", value=words.write.decimal(mean.value)), mean.value, mean.low, mean.high
        )
    return stacked_dots(
        [Dot(value, filled=True) for value in values],
        text,
        marker=marker,
        ends=(words("class.lower"), words("class.higher")),
        number=lambda value: words.write.decimal(value, 1),
    )


def _thetas(known: list[ClassLearner], words: Words) -> DataTable:
    rows = tuple((as_word(one.called), words.valued(one.theta)) for one in known)
    return DataTable(words("class.chart"), (words("class.learner"), words("class.theta")), rows)


def _topics(found: tuple[ClassTopic, ...], words: Words) -> Section | None:
    if not found:
        return None
    head = ("class.topic", "class.n_learners", "class.attempts", "class.share", "class.difference")
    rows = tuple(
        (
            as_word(one.topic_id),
            words.write.count(one.n_learners),
            words.write.count(one.attempts),
            words.shared(one.accuracy),
            words.valued(one.difference),
        )
        for one in found
    )
    table = DataTable(words("class.topics_table"), tuple(map(words, head)), rows)
    return Section("topics", words("class.topics"), (Text(words("class.topics_about")), Table(table)))
