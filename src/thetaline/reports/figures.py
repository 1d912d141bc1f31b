"""The charts of a learner's page: numbers of the value, words of the catalogue, and the data behind each."""

from datetime import date

from thetaline.charts import (
    Ahead,
    Chart,
    ChartText,
    DataTable,
    Dot,
    Marker,
    Number,
    Ranged,
    Row,
    Shape,
    TrendData,
    interval_rows,
    level_steps,
    stacked_dots,
    trend_chart,
)
from thetaline.reports.descriptors import Descriptors
from thetaline.reports.value import Absent, Estimate, GrowthLine, ItemMap, Standing, TopicPractice, TopicVerdict, Trend
from thetaline.reports.wording import Words, as_word

_SHAPES = {
    TopicVerdict.STRONGER: Shape.UP,
    TopicVerdict.WEAKER: Shape.DOWN,
    TopicVerdict.LIKE_THE_REST: Shape.DOT,
}
_MOST_CHARTED = 12


def trend_figure(trend: Trend, words: Words) -> Chart:
    """θ by week with the line, the goal and the forecast."""
    fitted = _fitted(trend.line)
    weeks = sorted({*fitted, *(one.week for one in trend.measures), *(one.week for one in trend.forecast)})
    data = TrendData(
        measures=[Ranged(_place(one.week), one.theta.value, one.theta.low, one.theta.high) for one in trend.measures],
        fitted=[(_place(week), level.value) for week, level in fitted.items()],
        goal=trend.target,
        ahead=[
            Ahead(_place(one.week), one.mean, (one.low_80, one.high_80), (one.low_95, one.high_95))
            for one in trend.forecast
        ],
        labels=[(_place(week), words.write.short_day(week)) for week in weeks],
    )
    text = ChartText(
        "trend",
        words("trend.title"),
        _trend_alt(trend, words),
        _trend_caption(trend, words),
        _trend_tables(trend, words),
    )
    goal = "" if trend.target is None else words("trend.goal_label", goal=words.write.decimal(trend.target))
    return trend_chart(data, text, goal_label=goal, number=_short(words))


def _fitted(line: GrowthLine | Absent) -> dict[date, Estimate]:
    return {} if isinstance(line, Absent) else dict(line.fitted)


def _place(week: date) -> float:
    return float(week.toordinal())


def _short(words: Words) -> Number:
    return lambda value: words.write.decimal(value, 1)


def _trend_alt(trend: Trend, words: Words) -> str:
    if not trend.measures:
        return words("trend.alt_empty")
    first, last = trend.measures[0], trend.measures[-1]
    return words(
        "trend.alt",
        first=words.write.day(first.week),
        last=words.write.day(last.week),
        n=words.write.count(len(trend.measures)),
        value=words.write.decimal(last.theta.value),
        span=words.span(last.theta),
    )


def _trend_caption(trend: Trend, words: Words) -> str:
    said = [words("trend.dots")] if trend.measures else []
    if _fitted(trend.line):
        said.append(words("trend.line"))
    if trend.target is not None:
        goal = words.write.decimal(trend.target)
        day = trend.target_date
        said.append(
            words("trend.goal_by", goal=goal, day=words.write.day(day)) if day else words("trend.goal", goal=goal)
        )
    if trend.forecast:
        said.append(words("trend.forecast"))
    return " ".join(said)


def _trend_tables(trend: Trend, words: Words) -> tuple[DataTable, ...]:
    """The weeks with their measures and the line, and the forecast where there is one."""
    write, fitted = words.write, _fitted(trend.line)
    measured = {one.week: one for one in trend.measures}
    head = ("trend.week", "trend.theta", "trend.answers", "trend.fitted")
    rows = tuple(
        (
            write.day(week),
            words.valued(measured[week].theta if week in measured else None),
            str(measured[week].n) if week in measured else "–",
            words.valued(fitted.get(week)),
        )
        for week in sorted({*measured, *fitted})
    )
    past = DataTable(words("trend.table"), tuple(map(words, head)), rows)
    if not trend.forecast:
        return (past,)
    ahead = tuple(
        (
            write.day(one.week),
            write.decimal(one.mean),
            _bounds(one.low_80, one.high_80, words),
            _bounds(one.low_95, one.high_95, words),
        )
        for one in trend.forecast
    )
    head = ("trend.week", "trend.mean", "trend.inner", "trend.outer")
    return past, DataTable(words("trend.ahead"), tuple(map(words, head)), ahead)


def _bounds(low: float, high: float, words: Words) -> str:
    return words("span", low=words.write.decimal(low), high=words.write.decimal(high))


def standing_figure(standing: Standing, words: Words, descriptors: Descriptors) -> Chart:
    """θ and its interval on the levels."""
    write, theta = words.write, standing.theta
    levels = descriptors.levels[words.language]
    count = write.count(len(levels))
    value, span = write.decimal(theta.value), words.span(theta)
    text = ChartText(
        "standing",
        words("standing.chart"),
        words("standing.alt", value=value, span=span, levels=count),
        words("standing.caption", levels=count),
        (_levels_table(words, descriptors),),
    )
    marker = Marker(value, theta.value, theta.low, theta.high)
    return level_steps(
        descriptors.cuts,
        text,
        current=standing.level,
        marker=marker,
        labels=[str(index + 1) for index in range(len(levels))],
    )


def _levels_table(words: Words, descriptors: Descriptors) -> DataTable:
    from_ = [words("standing.lowest"), *(words.write.decimal(cut) for cut in descriptors.cuts)]
    rows = tuple(
        (f"{index + 1} · {as_word(level.name)}", start, as_word(level.can))
        for index, (level, start) in enumerate(zip(descriptors.levels[words.language], from_, strict=True))
    )
    head = ("standing.column_level", "standing.column_from", "standing.column_can")
    return DataTable(words("standing.table"), tuple(map(words, head)), rows)


def topics_figure(topics: tuple[TopicPractice, ...], general: Estimate | None, words: Words, table: DataTable) -> Chart:
    """θ by topic against the general θ, at most `_MOST_CHARTED` of those that have one; `table` has all topics."""
    shown = _charted(topics)
    rows = [
        Row(as_word(one.topic_id), one.theta.value, one.theta.low, one.theta.high, _SHAPES[one.verdict])
        for one in shown
        if one.theta is not None
    ]
    caption = words("topics.caption")
    if len(shown) < sum(one.theta is not None for one in topics):
        caption += " " + words("topics.most", n=words.write.count(len(shown)))
    text = ChartText(
        "topics",
        words("topics.chart"),
        words("topics.alt", n=words.write.count(len(rows))),
        caption,
        (table,),
    )
    label = "" if general is None else words("topics.general", value=words.write.decimal(general.value))
    reference = None if general is None else general.value
    return interval_rows(rows, text, reference=reference, reference_label=label, number=_short(words))


def _charted(topics: tuple[TopicPractice, ...]) -> list[TopicPractice]:
    """In the given order: topics that stand out, then those with most answers, as many as a sheet of paper takes."""
    known = [one for one in topics if one.theta is not None]
    first = sorted(known, key=lambda one: (one.verdict is TopicVerdict.LIKE_THE_REST, -one.attempts))[:_MOST_CHARTED]
    return [one for one in known if one in first]


def map_figure(found: ItemMap, words: Words) -> Chart:
    """Items and the learner on one scale (a Wright map, lying on its side)."""
    write, theta = words.write, found.theta
    difficulties = [item.difficulty for item in found.items]
    alt = words(
        "map.alt",
        n=write.count(len(found.items)),
        low=write.decimal(min(difficulties)),
        high=write.decimal(max(difficulties)),
        value=write.decimal(theta.value),
        span=words.span(theta),
        right=write.count(sum(item.correct for item in found.items)),
    )
    text = ChartText(
        "map", words("map.chart"), alt, f"{words('map.caption')} {words('map.rule')}", (_map_table(found, words),)
    )
    return stacked_dots(
        [Dot(item.difficulty, filled=item.correct) for item in found.items],
        text,
        marker=Marker(words("map.you"), theta.value, theta.low, theta.high),
        ends=(words("map.easier"), words("map.harder")),
        number=_short(words),
    )


def _map_table(found: ItemMap, words: Words) -> DataTable:
    head = ("map.item", "map.topic", "map.difficulty", "map.expected", "map.answer")
    rows = tuple(
        (
            as_word(item.item),
            as_word(item.topic_id) if item.topic_id else "–",
            words.write.decimal(item.difficulty),
            words.probability(item.expected),
            words("map.right" if item.correct else "map.wrong"),
        )
        for item in sorted(found.items, key=lambda one: (one.difficulty, one.item))
    )
    return DataTable(words("map.table"), tuple(map(words, head)), rows)
