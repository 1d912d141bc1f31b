"""What a teacher sees besides, and what all numbers rest on: effort, risk, segment, calibration, linking, notes."""

from collections.abc import Mapping

from thetaline.reports.page import Block, Pairs, Section, Subheading, Text, Tone
from thetaline.reports.value import Absent, Audience, Effort, Linking, Measurement, Risk
from thetaline.reports.wording import Words, as_word, listed

_NOTES = (
    "notes.scale",
    "notes.window",
    "notes.first",
    "notes.range",
    "notes.change",
    "notes.effect",
    "notes.forecast",
    "notes.not",
)


def effort(found: Effort | Absent, words: Words) -> Section | None:
    """Answers faster than reading takes, and what they change."""
    if found is Absent.NOT_ALLOWED:
        return None
    title = words("effort.title")
    if isinstance(found, Absent):
        return Section("effort", title, (Text(words.of("absent", found)),))
    n = words.write.count(found.n_timed)
    if not found.n_rapid:
        return Section("effort", title, (Text(words("effort.none_rapid", n=n)),))
    said = [words("effort.rapid", n=n, rapid=words.write.count(found.n_rapid))]
    if found.theta and found.theta_without_rapid:
        said.append(_compared(found.theta.value, found.theta_without_rapid.value, differs=found.differs, words=words))
    return Section("effort", title, (Text(" ".join(said)),))


def _compared(with_all: float, without: float, *, differs: bool, words: Words) -> str:
    if not differs:
        return words("effort.same")
    return words("effort.differs", with_all=words.write.decimal(with_all), without=words.write.decimal(without))


def risk(found: Risk | Absent, words: Words) -> Section | None:
    """The chance of a long silence, kindly; left out where there is none."""
    if isinstance(found, Absent):
        return None
    about = words("risk.about", probability=words.probability(found.probability))
    source = words("risk.hazard" if found.source == "landmark_hazard" else "risk.inactivity")
    return Section("risk", words("risk.title"), (Text(about), Text(source, Tone.QUIET)))


def segment(found: Mapping[str, str] | Absent, words: Words) -> Section | None:
    """The group of habits; left out where there is none."""
    label = None if isinstance(found, Absent) else found.get(words.language)
    if not label:
        return None
    return Section("segment", words("segment.title"), (Text(words("segment.about", label=label)),))


def notes(found: Measurement | Absent, sources: tuple[str, ...], words: Words) -> Section:
    """What the numbers rest on and what they do not mean."""
    blocks: list[Block] = [Text(words(key)) for key in _NOTES]
    if isinstance(found, Absent):
        blocks.append(Text(words.of("absent", found)))
    else:
        blocks += [Subheading(words("notes.linking")), *_linking(found.linking, words)]
        blocks += [Subheading(words("notes.calibration")), _calibration(found, words)]
    if sources:
        blocks.append(Text(words("notes.sources", runs=listed(sources)), Tone.QUIET))
    folded = None if words.audience is Audience.TEACHER else words("notes.open")
    return Section("notes", words("notes.title"), tuple(blocks), folded)


def _linking(found: Linking | Absent, words: Words) -> list[Block]:
    if isinstance(found, Absent):
        return [Text(words.of("absent", found))]
    pairs = (
        (words("notes.slope"), words.write.decimal(found.slope, 3)),
        (words("notes.shift"), words.write.decimal(found.shift, 3)),
        (words("notes.anchors"), words.write.count(found.n_anchors_used)),
        (words("notes.method"), as_word(found.method)),
    )
    return [Pairs(pairs)]


def _calibration(found: Measurement, words: Words) -> Pairs:
    size = words(
        "notes.size_value", items=words.write.count(found.n_items), learners=words.write.count(found.n_learners)
    )
    pairs = (
        (words("notes.run"), as_word(found.run_id)),
        (words("notes.model"), as_word(found.model)),
        (words("notes.fitted"), words.write.moment(found.fitted_at)),
        (words("notes.size"), size),
    )
    return Pairs(pairs)
