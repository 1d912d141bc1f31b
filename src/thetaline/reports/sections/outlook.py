"""Where things may go: indicators, goals, what to do next."""

from thetaline.reports.formats import Word
from thetaline.reports.page import Block, Card, Cards, Fact, Facts, Section, Subheading, Text
from thetaline.reports.sections.practice import item_card
from thetaline.reports.value import (
    Absent,
    Change,
    GoalOutlook,
    KpiValue,
    SuggestedItem,
    SuggestedTopic,
)
from thetaline.reports.wording import KPI_KEYS, Words, as_word

_CHANGES = frozenset({"I_t", "E_t"})  # shown with a sign
_SHARES = frozenset({"E_t", "R_t"})
_PROBABILITIES = frozenset({"P", "S"})


def kpis(found: tuple[KpiValue, ...], words: Words) -> Section | None:
    """Indicators under plain names, with arrows."""
    if not found:
        return None
    return Section("kpis", words("kpis.title"), (Facts(tuple(_kpi(one, words) for one in found)),))


def _kpi(one: KpiValue, words: Words) -> Fact:
    known = one.key in KPI_KEYS
    label = words.of("kpi", one.key) if known else as_word(one.key)
    about = [words.of("kpi_about", one.key)] if known else []
    if one.before is not None:
        about.append(words("kpis.before", value=Word(_kpi_value(one.key, one.before, words))))
    return Fact(label, _kpi_value(one.key, one.value, words), " ".join(about) or None, _kpi_finding(one, words))


def _kpi_finding(one: KpiValue, words: Words) -> str:
    change = words.of("kpi_change", one.change)
    if one.change not in {Change.UP, Change.DOWN}:
        return change
    return f"{change} · {words('kpis.good' if one.change is one.better else 'kpis.watch')}"


def _kpi_value(key: str, value: float, words: Words) -> str:
    if key in _PROBABILITIES:
        return words.probability(value)
    if key in _SHARES:
        text = words.write.percent(value)
        return f"+{text}" if key in _CHANGES and value >= 0.005 else text
    return words.write.signed(value) if key in _CHANGES else words.write.decimal(value)


def goals(found: tuple[GoalOutlook, ...], words: Words) -> Section:
    """Each goal: reached by now or not, and the chance that it is on its day."""
    blocks: tuple[Block, ...] = (Text(words("goals.none")),)
    if found:
        blocks = (Cards(tuple(_goal(one, words) for one in found)),)
    return Section("goals", words("goals.title"), blocks)


def _goal(one: GoalOutlook, words: Words) -> Card:
    if one.verdict is Absent.NO_GOAL:
        return Card(as_word(one.topic_id), words("goals.no_target"), ())
    target = words.write.decimal(one.target)
    day = one.target_date
    what = (
        words("goals.target_by", target=target, day=words.write.day(day))
        if day
        else words("goals.target", target=target)
    )
    family = "absent" if isinstance(one.verdict, Absent) else "goal_verdict"
    verdict = words.of(family, one.verdict)
    return Card(f"{as_word(one.topic_id)}: {what}", verdict, tuple(_chances(one, words)))


def _chances(one: GoalOutlook, words: Words) -> list[str]:
    said = []
    if isinstance(one.probability, Absent):
        if one.probability is not Absent.NOT_ALLOWED:
            said.append(f"{words('goals.no_probability')} {words.of('absent', one.probability)}")
    else:
        said.append(words("goals.probability", chance=words.chance(one.probability)))
    if one.ever_probability is not None:
        said.append(words("goals.ever", chance=words.chance(one.ever_probability)))
    return said


def next_steps(topics: tuple[SuggestedTopic, ...], items: tuple[SuggestedItem, ...], words: Words) -> Section | None:
    """Topics and questions to go on with, each with its reason."""
    blocks: list[Block] = []
    if topics:
        cards = tuple(Card(as_word(one.topic_id), None, (words.of("topic_reason", one.reason),)) for one in topics)
        blocks += [Subheading(words("next.topics")), Cards(cards)]
    if items:
        blocks += [Subheading(words("next.items")), Cards(tuple(_item(one, words) for one in items))]
    return Section("next", words("next.title"), tuple(blocks)) if blocks else None


def _item(one: SuggestedItem, words: Words) -> Card:
    expected = words("next.expected", chance=words.chance(one.expected))
    return item_card(one.item, one.content, one.topic_id, (f"{words.of('reason', one.reason)} {expected}",))
