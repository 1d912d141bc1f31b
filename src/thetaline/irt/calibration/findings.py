"""What a reader must know about single items, persons and groups: found by the data checks and by the diagnostics."""

from dataclasses import dataclass
from enum import StrEnum

from thetaline.irt._types import Ids


class Finding(StrEnum):
    """Kinds of findings; each says what was done."""

    NO_ANSWERS = "answered by nobody"
    ONE_CATEGORY = "everybody gave the same answer"
    UNUSED_CATEGORY = "a category that nobody gave"
    FEW_ANSWERS = "fewer answers than min_answers"
    REVERSED = "runs backwards"
    RUNAWAY = "slope grew to its bound"
    FLAT = "hardly tells persons apart"
    ASYMPTOTE = "asymptote at its bound"
    UNSETTLED = "still moving when the cycles ended"
    UNIDENTIFIED = "more parameters than patterns of answers"
    BEYOND_NODES = "population reaches beyond the given nodes"
    NO_SPREAD = "abilities of the group hardly differ"
    NO_COMMON_ABILITY = "the answers show no common ability"
    OUT_OF_REACH = "population lies beyond the items"
    PERSON_WITHOUT_ANSWERS = "persons without answers"
    PERSON_WITH_ONE_ANSWER = "persons with one answer"

    @property
    def meaning(self) -> str:
        """What was done, and what to do."""
        return _MEANINGS[self]


# Of items: their estimates, and the errors of these, say nothing that another calibration could be compared with.
UNDETERMINED = (Finding.RUNAWAY, Finding.REVERSED, Finding.UNSETTLED, Finding.UNIDENTIFIED, Finding.NO_ANSWERS)

_MEANINGS = {
    Finding.NO_ANSWERS: "the estimate is the mode of the prior",
    Finding.ONE_CATEGORY: "the likelihood has no maximum; the estimate is shrunken by the prior",
    Finding.UNUSED_CATEGORY: "its thresholds rest on the prior alone",
    Finding.FEW_ANSWERS: "the estimate is shrunken by the prior",
    Finding.REVERSED: "the answers alone give a negative slope: check the key, or drop the item",
    Finding.RUNAWAY: "the likelihood has no maximum: give `a` a prior (Rasch and PCM take none), or drop the item",
    Finding.FLAT: "its expected score is nearly the same for all of the population, and its b says little: drop it",
    Finding.ASYMPTOTE: "the answers do not determine it: give it a prior, or take a model without it",
    Finding.UNSETTLED: "the answers hardly determine it: add priors, drop it, or raise max_cycles",
    Finding.UNIDENTIFIED: "other values fit as well: add items or priors, anchor some, or take Rasch or PCM",
    Finding.BEYOND_NODES: "mean and sd are those of the normal whose part on the nodes fits best; take a wider grid",
    Finding.NO_SPREAD: "its sd has run towards 0: add answers, or merge the group with another",
    Finding.NO_COMMON_ABILITY: "items that share none explain them as well: what is estimated is the priors' answer",
    Finding.OUT_OF_REACH: "its mean has no finite estimate or rests on hardly any answer: merge it or leave it out",
    Finding.PERSON_WITHOUT_ANSWERS: "they were left out",
    Finding.PERSON_WITH_ONE_ANSWER: "they inform the difficulties and hardly the slopes",
}


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """One finding and the ids of the items or persons, or the labels of the groups, it is about."""

    finding: Finding
    ids: Ids

    def __str__(self) -> str:
        """One line: the finding, how many, the first ids, the meaning."""
        more = ", …" if len(self.ids) > 5 else ""
        first = ", ".join(str(name) for name in self.ids[:5].tolist())
        return f"{self.finding} ({len(self.ids)}: {first}{more}): {self.finding.meaning}"
