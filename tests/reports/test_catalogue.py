"""The catalogues belong together, and to the code: no key, reader or value is missing, differs or is left over."""

import ast
import string
from pathlib import Path

import pytest
from tests.reports import fixtures

import thetaline.reports
from thetaline.reports.value import Audience, Language
from thetaline.reports.wording import FAMILIES, Words, catalogue

SOURCES = sorted(Path(thetaline.reports.__file__).parent.rglob("*.py"))
READERS = {*Audience, "others"}
BOTH = [(language, key) for language in Language for key in catalogue(language)]


def forms(language: Language, key: str) -> dict[str, str]:
    """The sentence by reader; one for all is for `others`."""
    sentence = catalogue(language)[key]
    return {"others": sentence} if isinstance(sentence, str) else dict(sentence)


def values_of(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def keys_in_the_code() -> set[str]:
    """Every constant that could be a key, and the members of the families."""
    constants = {
        node.value
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return constants | {f"{family}.{member}" for family, members in FAMILIES.items() for member in members}


def test_both_languages_have_the_same_keys():
    assert catalogue(Language.KO).keys() == catalogue(Language.EN).keys()


@pytest.mark.parametrize("language", Language)
def test_every_member_of_a_closed_set_has_its_sentence_and_no_other_has_one(language):
    for family, members in FAMILIES.items():
        found = {key for key in catalogue(language) if key.rpartition(".")[0] == family}
        assert found == {f"{family}.{member}" for member in members}


def test_no_sentence_is_left_over():
    assert catalogue(Language.EN).keys() - keys_in_the_code() == set()


def test_every_reader_has_a_sentence():
    for language, key in BOTH:
        readers = forms(language, key).keys()
        assert readers <= READERS, key
        assert "others" in readers or readers == set(Audience), key


def test_all_forms_of_a_sentence_take_the_same_values():
    """A name may be in one language only: Korean says 나 or leaves the person out."""
    for key in catalogue(Language.EN):
        found = {
            frozenset(values_of(sentence) - {"name"})
            for language in Language
            for sentence in forms(language, key).values()
        }
        assert len(found) == 1, (key, found)


def test_korean_learners_are_spoken_to_softly_and_others_formally():
    for key in catalogue(Language.KO):
        sentences = forms(Language.KO, key)
        assert not any(
            text.rstrip(".").endswith("니다") for reader, text in sentences.items() if reader == "learner"
        ), key
        assert not any(text.rstrip(".").endswith("요") for reader, text in sentences.items() if reader != "learner"), (
            key
        )


def test_a_key_that_is_not_there_fails_at_once():
    words = Words(Language.EN, Audience.LEARNER, "Minji")
    with pytest.raises(KeyError, match=r"no\.such"):
        words("no.such")
    with pytest.raises(KeyError, match="period"):
        words("page.kicker")


def test_the_fixtures_speak_every_family():
    """What the golden texts and the reading of numbers rest on."""
    report = fixtures.full()
    assert {topic.verdict for topic in report.topics} == set(FAMILIES["topic_verdict"])
