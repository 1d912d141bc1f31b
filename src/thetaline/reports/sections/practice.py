"""What was practised and what works out: examples at the learner's level, topics, the week's questions."""

from statistics import fmean

from thetaline.charts import DataTable
from thetaline.reports.figures import map_figure, topics_figure
from thetaline.reports.page import Block, Card, Cards, Figure, Section, Table, Text
from thetaline.reports.value import Absent, Estimate, ExampleItem, ItemMap, TopicPractice, TopicVerdict
from thetaline.reports.visible import one_line
from thetaline.reports.wording import Words, as_word, listed

_NAMED = {TopicVerdict.STRONGER: "topics.stronger", TopicVerdict.WEAKER: "topics.weaker"}


def examples(found: tuple[ExampleItem, ...], words: Words) -> Section | None:
    """Questions of the bank that the learner now gets right with a stated chance."""
    if not found:
        return None
    chance = words.chance(fmean(one.expected for one in found))
    cards = tuple(item_card(one.item, one.content, one.topic_id) for one in found)
    return Section("can", words("can.title"), (Text(words("can.intro", chance=chance)), Cards(cards)))


def item_card(item: str, content: str | None, topic: str | None, notes: tuple[str, ...] = ()) -> Card:
    """A question: its text, else its code; its topic and why it is here."""
    where = (as_word(topic),) if topic else ()
    title = one_line(content) if content else as_word(item)
    code = (as_word(item),) if content else ()
    return Card(title, " · ".join((*where, *code)) or None, notes)


def topics(found: tuple[TopicPractice, ...], general: Estimate | None, words: Words) -> Section | None:
    """Practice by topic, and the topics that stand out; one without an answer of the week and without θ is left out."""
    found = tuple(one for one in found if one.attempts or one.theta is not None)
    if not found:
        return None
    table = _topics_table(found, words)
    charted = any(one.theta is not None for one in found)
    shown = Figure(topics_figure(found, general, words, table)) if charted else Table(table)
    return Section("topics", words("topics.title"), (*_standing_out(found, words, known=charted), shown))


def _standing_out(found: tuple[TopicPractice, ...], words: Words, *, known: bool) -> list[Block]:
    said: list[Block] = [
        Text(words(key, topics=listed(named)))
        for verdict, key in _NAMED.items()
        if (named := [one.topic_id for one in found if one.verdict is verdict])
    ]
    return said or ([Text(words("topics.alike"))] if known else [])


def _topics_table(found: tuple[TopicPractice, ...], words: Words) -> DataTable:
    head = ("topics.topic", "topics.attempts", "topics.correct", "topics.share", "topics.theta", "topics.verdict")
    rows = tuple(
        (
            as_word(one.topic_id),
            words.write.count(one.attempts),
            words.write.count(one.correct),
            words.shared(one.accuracy),
            words.valued(one.theta),
            _beside_general(one, words),
        )
        for one in found
    )
    return DataTable(words("topics.table"), tuple(map(words, head)), rows)


def _beside_general(one: TopicPractice, words: Words) -> str:
    """A dash where no θ is there to compare."""
    unknown = one.theta is None and one.verdict is TopicVerdict.LIKE_THE_REST
    return "–" if unknown else words.of("topic_verdict", one.verdict)


def item_map(found: ItemMap | Absent, words: Words) -> Section | None:
    """The week's questions and the learner on one scale."""
    if found is Absent.NOT_ALLOWED:
        return None
    title = words("map.title")
    if isinstance(found, Absent):
        return Section("map", title, (Text(words.of("absent", found)),))
    count = words.write.count
    balance = words("map.balance", easier=count(found.easier), matched=count(found.matched), harder=count(found.harder))
    figure = [Figure(map_figure(found, words))] if found.items else []
    return Section("map", title, (Text(balance), *figure))
