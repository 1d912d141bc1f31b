"""Sentences of the catalogues: by key and reader, with values put in as text."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from thetaline.reports.class_value import NextStep
from thetaline.reports.formats import Formats, Word
from thetaline.reports.value import (
    Absent,
    Audience,
    Change,
    Estimate,
    GoalVerdict,
    Interval,
    ItemReason,
    Language,
    TopicVerdict,
)
from thetaline.reports.visible import visible

Sentence = str | Mapping[str, str]  # one for all readers, or by audience with `others` for those not named

KPI_KEYS = ("I_t", "E_t", "R_t", "A_t", "P", "S")  # those that have a plain name; others are shown by their key
FAMILIES: Mapping[str, Iterable[str]] = MappingProxyType({
    "kpi": KPI_KEYS,
    "kpi_about": KPI_KEYS,
    "headline": Change,
    "headline_detail": Change,
    "kpi_change": Change,
    "learner_change": Change,
    "goal_verdict": GoalVerdict,
    "topic_verdict": TopicVerdict,
    "reason": ItemReason,
    "topic_reason": ItemReason,
    "absent": Absent,
    "next_step": NextStep,
    "next_step_about": NextStep,
})  # fmt: skip
"""Sentences of which one belongs to each member of a closed set."""


@cache
def catalogue(language: Language) -> Mapping[str, Sentence]:
    """The sentences of a language by key."""
    text = files("thetaline.reports").joinpath("catalogue", f"{language}.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


@dataclass(frozen=True, slots=True)
class Words:
    """A language as spoken to one reader about one learner (or class), whose name is `{name}` in every sentence."""

    language: Language
    audience: Audience
    name: str

    def __call__(self, key: str, **values: str) -> str:
        """The sentence of `key`; a value that is no `Word` yet was typed by somebody and is made visible first.

        Raises KeyError for a key or a value that is not there.
        """
        sentence = catalogue(self.language)[key]
        if not isinstance(sentence, str):
            sentence = sentence.get(self.audience) or sentence["others"]
        return sentence.format(**{name: as_word(value) for name, value in {"name": self.name, **values}.items()})

    def of(self, family: str, member: str, **values: str) -> str:
        """The sentence that belongs to a member of one of `FAMILIES`."""
        return self(f"{family}.{member}", **values)

    @property
    def write(self) -> Formats:
        """Numbers and dates of the language."""
        return Formats(self.language)

    def span(self, known: Estimate | Interval, digits: int = 2) -> Word:
        """The bounds of a 95 % interval."""
        write = self.write
        return Word(self("span", low=write.decimal(known.low, digits), high=write.decimal(known.high, digits)))

    def valued(self, known: Estimate | Interval | None, digits: int = 2) -> str:
        """A value with its bounds, or a dash."""
        if known is None:
            return "–"
        return f"{self.write.decimal(known.value, digits)} ({self.span(known, digits)})"

    def shared(self, known: Interval | None) -> str:
        """A share with its bounds in per cent, or a dash."""
        if known is None:
            return "–"
        low, high = self.write.percent(known.low), self.write.percent(known.high)
        return f"{self.write.percent(known.value)} ({self('span', low=low, high=high)})"

    def chance(self, probability: float) -> Word:
        """A probability as people say it: per cent for a teacher, else times in ten."""
        if self.audience is Audience.TEACHER:
            return self.probability(probability)
        if probability < 0.05:
            return Word(self("chance.seldom"))
        if probability >= 0.95:
            return Word(self("chance.nearly_always"))
        return Word(self("chance.tenths", n=self.write.count(max(1, round(10 * probability)))))

    def probability(self, probability: float) -> Word:
        """A probability in per cent, never as 0 or 100."""
        if probability < 0.01:
            return Word(self("chance.below", bound=self.write.percent(0.01)))
        if probability > 0.99:
            return Word(self("chance.above", bound=self.write.percent(0.99)))
        return self.write.percent(probability)


def listed(texts: Iterable[str]) -> Word:
    """Texts in one sentence, one after the other."""
    return Word(", ".join(map(as_word, texts)))


def as_word(value: str) -> Word:
    """Text that may stand in a sentence: our own as it is, anybody else's made visible."""
    return value if isinstance(value, Word) else Word(visible(value))
