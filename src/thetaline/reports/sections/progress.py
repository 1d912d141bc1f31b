"""How things are going: the headline, θ by week, and where the learner is."""

from collections.abc import Iterator

from thetaline.reports.descriptors import Descriptors
from thetaline.reports.figures import standing_figure, trend_figure
from thetaline.reports.page import Block, Fact, Facts, Figure, Section, Text, Tone
from thetaline.reports.value import Absent, Change, Headline, Percentile, Standing, Trend
from thetaline.reports.wording import Words, as_word


def headline(found: Headline, words: Words) -> tuple[str, tuple[str, ...]]:
    """The finding in words, and the sentences below it; a week without answers has none."""
    if not found.n_answers:
        return words("week.no_answers"), (words("week.nothing_new"),)
    answers = words("week.answers", n=words.write.count(found.n_answers))
    return words.of("headline", found.change), (*_details(found, words), answers)


def _details(found: Headline, words: Words) -> Iterator[str]:
    if found.slope is None:
        yield words.of("headline_detail", Change.UNKNOWN)
        return
    yield words.of(
        "headline_detail",
        found.change,
        weeks=words.write.count(found.n_weeks),
        slope=words.write.signed(found.slope.value),
        span=words.span(found.slope),
    )
    if found.since is not None:
        yield words("week.level_since", since=words.write.day(found.since))


def trend(found: Trend | Absent, words: Words) -> Section | None:
    """θ by week; a single week is a sentence, no chart."""
    if found is Absent.NOT_ALLOWED:
        return None
    if isinstance(found, Absent):
        blocks: tuple[Block, ...] = (Text(words.of("absent", found)),)
    elif len(found.measures) > 1 or found.forecast:
        blocks = (Figure(trend_figure(found, words)), *_what_is_missing(found, words, Tone.QUIET))
    else:
        blocks = (*_only_week(found, words), *_what_is_missing(found, words, Tone.PLAIN))
    return Section("trend", words("trend.title"), blocks or (Text(words.of("absent", Absent.TOO_FEW_WEEKS)),))


def _only_week(found: Trend, words: Words) -> list[Block]:
    return [
        Text(
            words(
                "trend.single",
                week=words.write.day(one.week),
                value=words.write.decimal(one.theta.value),
                span=words.span(one.theta),
                n=words.write.count(one.n),
            )
        )
        for one in found.measures
    ]


def _what_is_missing(found: Trend, words: Words, tone: Tone) -> list[Block]:
    """Why there is no line and no forecast; one sentence where the reason is the same."""
    line = found.line if isinstance(found.line, Absent) else None
    said = {"trend.no_line": line, "trend.no_forecast": found.forecast_absent}
    if line is not None and line is found.forecast_absent:
        said = {"trend.no_line_no_forecast": line}
    return [
        Text(f"{words(key)} {words.of('absent', why)}", tone)
        for key, why in said.items()
        if why is not None and why is not Absent.NOT_ALLOWED
    ]


def standing(found: Standing | Absent, words: Words, descriptors: Descriptors) -> Section | None:
    """The level in words, θ with its interval, and the percentile where it is shown."""
    if found is Absent.NOT_ALLOWED:
        return None
    title = words("standing.title")
    if isinstance(found, Absent):
        return Section("standing", title, (Text(words.of("absent", found)),))
    facts = [
        Fact(
            words("standing.theta"),
            words.write.decimal(found.theta.value),
            words("standing.based_on", span=words.span(found.theta), n=words.write.count(found.n_answers)),
        ),
        *_percentile(found.percentile, words),
    ]
    figure = Figure(standing_figure(found, words, descriptors))
    return Section("standing", title, (*_level(found, words, descriptors), figure, Facts(tuple(facts))))


def _level(standing: Standing, words: Words, descriptors: Descriptors) -> list[Block]:
    """The level, or the two that θ may be on with the likelier one; none where it may be on more."""
    level = standing.level
    if level is None:
        return [Text(words("standing.no_level"), Tone.LEAD)]
    levels = descriptors.levels[words.language]
    first, last = (words.write.count(one + 1) for one in descriptors.touched(standing.theta))
    named = words(
        "standing.level" if first == last else "standing.two_levels",
        level=words.write.count(level + 1),
        levels=words.write.count(len(levels)),
        level_name=levels[level].name,
        first=first,
        last=last,
    )
    return [Text(named, Tone.LEAD), Text(as_word(levels[level].can))]


def _percentile(found: Percentile | Absent, words: Words) -> list[Fact]:
    if found is Absent.NOT_ALLOWED:
        return []
    label = words("standing.percentile")
    if isinstance(found, Absent):
        return [Fact(label, "–", words.of("absent", found))]
    value = words("standing.percentile_value", value=words.write.decimal(found.value.value, 0))
    span = words.span(found.value, 0)
    key = "standing.percentile_note" if found.group else "standing.percentile_note_all"
    note = words(key, span=span, n=words.write.count(found.n), group=found.group)
    return [Fact(label, value, note)]
