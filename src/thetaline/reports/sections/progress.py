"""How things are going: the headline, θ by week, and where the learner is."""

from thetaline.reports.descriptors import Descriptors
from thetaline.reports.figures import standing_figure, trend_figure
from thetaline.reports.page import Block, Fact, Facts, Figure, Section, Text, Tone
from thetaline.reports.value import Absent, Headline, Percentile, Standing, Trend
from thetaline.reports.wording import Words


def headline(found: Headline, words: Words) -> tuple[str, tuple[str, ...]]:
    """The finding in words, and the sentences below it."""
    values: dict[str, str] = {"weeks": words.write.count(found.n_weeks)}
    if found.slope is not None:
        values |= {"slope": words.write.signed(found.slope.value), "span": words.span(found.slope)}
        detail = words.of("headline_detail", found.change, **values)
    else:
        detail = words("headline_detail.unknown")
    lead = [detail]
    if found.since is not None:
        lead.append(words("headline.since", since=words.write.day(found.since)))
    answers = words.write.count(found.n_answers)
    lead.append(words("headline.answers", n=answers) if found.n_answers else words("headline.no_answers"))
    return words.of("headline", found.change), tuple(lead)


def trend(found: Trend | Absent, words: Words) -> Section | None:
    """θ by week."""
    blocks: list[Block]
    if isinstance(found, Absent) or not (found.measures or found.forecast):
        if found is Absent.NOT_ALLOWED:
            return None
        blocks = [Text(words.of("absent", found if isinstance(found, Absent) else Absent.TOO_FEW_WEEKS))]
    else:
        blocks = [Figure(trend_figure(found, words)), *_what_is_missing(found, words)]
    return Section("trend", words("trend.title"), tuple(blocks))


def _what_is_missing(found: Trend, words: Words) -> list[Block]:
    said: list[Block] = []
    if isinstance(found.line, Absent) and found.line is not Absent.NOT_ALLOWED:
        said.append(Text(f"{words('trend.no_line')} {words.of('absent', found.line)}", Tone.QUIET))
    absent = found.forecast_absent
    if absent is not None and absent is not Absent.NOT_ALLOWED:
        said.append(Text(f"{words('trend.no_forecast')} {words.of('absent', absent)}", Tone.QUIET))
    return said


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
    return Section("standing", title, (*_level(found.level, words, descriptors), figure, Facts(tuple(facts))))


def _level(level: int | None, words: Words, descriptors: Descriptors) -> list[Block]:
    if level is None:
        return [Text(words("standing.no_level"), Tone.LEAD)]
    levels = descriptors.levels[words.language]
    n, of = words.write.count(level + 1), words.write.count(len(levels))
    named = words("standing.level", level=n, levels=of, level_name=levels[level].name)
    return [Text(named, Tone.LEAD), Text(words("standing.can", can=levels[level].can))]


def _percentile(found: Percentile | Absent, words: Words) -> list[Fact]:
    if found is Absent.NOT_ALLOWED:
        return []
    label = words("standing.percentile")
    if isinstance(found, Absent):
        return [Fact(label, "–", words.of("absent", found))]
    value = words("standing.percentile_value", value=words.write.decimal(found.value.value, 0))
    span = words.span(found.value, 0)
    note = words("standing.percentile_note", span=span, n=words.write.count(found.n), group=found.group)
    return [Fact(label, value, note)]
