"""Weeks of invented learners that the tests of reports share: a full one, a thin one, a class."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from thetaline.reports.class_value import ClassLearner, ClassReport, ClassTopic, NextStep
from thetaline.reports.value import (
    Absent,
    Audience,
    Change,
    Effort,
    Estimate,
    ExampleItem,
    ForecastPoint,
    GoalOutlook,
    GoalVerdict,
    GrowthLine,
    Headline,
    Interval,
    ItemMap,
    ItemReason,
    KpiValue,
    Language,
    Linking,
    Measurement,
    Percentile,
    PractisedItem,
    Reader,
    Risk,
    Standing,
    SuggestedItem,
    SuggestedTopic,
    TopicPractice,
    TopicVerdict,
    Trend,
    WeeklyMeasure,
    WeeklyReport,
)

WEEK = date(2026, 3, 2)
THETAS = (-0.42, -0.15, -0.38, 0.11, 0.02, 0.35, 0.18, 0.61, 0.44)
ERRORS = (0.51, 0.44, 0.48, 0.41, 0.55, 0.39, 0.42, 0.37, 0.36)
TOPICS = {
    Language.EN: ("Linear equations", "Fractions", "Geometry", "Probability"),
    Language.KO: ("일차방정식", "분수", "도형", "확률"),
}
NAMES = {Language.EN: "Minji", Language.KO: "김민지"}
CONTENT = {
    Language.EN: (
        "Solve 3x + 5 = 20.",
        "What is 2/3 of 18?",
        "Two angles of a triangle are 40° and 75°. And the third?",
    ),
    Language.KO: ("3x + 5 = 20을 푸시오.", "18의 2/3는 얼마인가?", "두 각이 40°와 75°인 삼각형의 나머지 한 각은?"),
}
PUPILS = {
    Language.EN: ["Ada", "Ben", "Chloe", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ivy", "Jack", "Kim", "Lena"],
    Language.KO: [
        "강하늘",
        "김민지",
        "나은우",
        "박서준",
        "박지민",
        "서예린",
        "송하윤",
        "오지호",
        "이도윤",
        "이서연",
        "정유진",
        "최하준",
    ],
}


def week(n: int) -> date:
    """The Monday n weeks from the report's."""
    return WEEK + timedelta(weeks=n)


def full(language: Language = Language.EN, audience: Audience = Audience.LEARNER) -> WeeklyReport:
    """A learner with nine weeks, four topics, a goal and all sections that the reader may see."""
    topics, content = TOPICS[language], CONTENT[language]
    teacher = audience is Audience.TEACHER
    return WeeklyReport(
        reader=Reader("u-0412", NAMES[language], audience, language, class_name="7B"),
        week=WEEK,
        as_of=WEEK + timedelta(days=6),
        headline=Headline(Change.UP, Estimate(0.112, 0.031), n_weeks=9, n_answers=24),
        trend=trend(),
        standing=Standing(
            Estimate(0.48, 0.21),
            n_answers=131,
            level=2,
            percentile=Percentile(Interval(67.2, 54.6, 78.1), "7B", 28) if teacher else Absent.NOT_ALLOWED,
        ),
        topics=practice(topics),
        item_map=item_map(topics),
        kpis=(
            KpiValue("I_t", 0.31, 0.12, Change.UP, Change.UP),
            KpiValue("E_t", 0.08, None, Change.NO_CLEAR_CHANGE, Change.UP),
            KpiValue("R_t", 0.625, 0.5, Change.NO_CLEAR_CHANGE, Change.UP),
            KpiValue("A_t", 0.71, 0.78, Change.UNKNOWN, Change.UP),
        ),
        goals=(GoalOutlook(topics[0], 1.0, date(2026, 4, 26), GoalVerdict.MET_WITHIN_ERROR, 0.64, 0.81),),
        effort=Effort(24, 2, Estimate(0.44, 0.36), Estimate(0.66, 0.38), differs=True),
        next_topics=(
            SuggestedTopic(topics[2], ItemReason.WEAKER_TOPIC),
            SuggestedTopic(topics[3], ItemReason.LITTLE_PRACTISED),
        ),
        next_items=(
            SuggestedItem("G-104", topics[2], content[2], 0.62, ItemReason.WEAKER_TOPIC),
            SuggestedItem("F-031", topics[1], content[1], 0.68, ItemReason.MISSED_BEFORE),
            SuggestedItem("L-077", topics[0], None, 0.71, ItemReason.RIGHT_DIFFICULTY),
        ),
        examples=(ExampleItem("L-012", topics[0], content[0], 0.82), ExampleItem("F-009", topics[1], content[1], 0.79)),
        measurement=measurement(),
        risk=Risk(0.07, "landmark_hazard") if teacher else Absent.NOT_ALLOWED,
        segment={"en": "Steady and careful", "ko": "꾸준하고 꼼꼼한 학습"} if teacher else Absent.NOT_ALLOWED,
        sources=("fit-2026-03-08T03:15:23Z", "growth-2026-03-08T04:01:10Z"),
    )


def practice(topics: tuple[str, ...]) -> tuple[TopicPractice, ...]:
    """A topic clearly stronger, one like the rest, one clearly weaker, one of which little is known."""
    known = (
        (9, 8, Interval(0.889, 0.565, 0.98), Estimate(1.02, 0.29), Estimate(0.54, 0.25), TopicVerdict.STRONGER),
        (7, 5, Interval(0.714, 0.359, 0.918), Estimate(0.41, 0.33), Estimate(-0.07, 0.28), TopicVerdict.LIKE_THE_REST),
        (6, 2, Interval(0.333, 0.097, 0.7), Estimate(-0.21, 0.31), Estimate(-0.69, 0.27), TopicVerdict.WEAKER),
        (2, 1, None, None, None, TopicVerdict.LIKE_THE_REST),
    )
    return tuple(TopicPractice(topic, *rest) for topic, rest in zip(topics, known, strict=True))


def trend() -> Trend:
    """Nine weeks with a line, a goal and four weeks ahead."""
    measures = tuple(
        WeeklyMeasure(week(index - 8), Estimate(theta, se), n)
        for index, (theta, se, n) in enumerate(zip(THETAS, ERRORS, (12, 15, 13, 17, 10, 18, 16, 21, 24), strict=True))
    )
    fitted = tuple((week(k), Estimate(0.48 + 0.112 * k, 0.21 + 0.01 * abs(k + 3))) for k in range(-8, 1))
    ahead = tuple(
        ForecastPoint(week(k), 0.48 + 0.1 * k, 0.1 + 0.07 * k, 0.86 + 0.13 * k, -0.1 + 0.055 * k, 1.06 + 0.145 * k)
        for k in range(1, 5)
    )
    line = GrowthLine(Estimate(0.48, 0.21), Estimate(0.112, 0.031), 9, None, fitted)
    return Trend(measures, line, 1.0, date(2026, 4, 26), ahead)


def item_map(topics: tuple[str, ...]) -> ItemMap:
    """Twenty-four questions around the learner."""
    items = tuple(
        PractisedItem(f"Q-{k:03d}", topics[k % 4], round(0.15 * k - 1.6, 2), round(0.9 - 0.026 * k, 3), k % 3 != 2)
        for k in range(24)
    )
    easier = sum(item.expected > 0.75 for item in items)
    harder = sum(item.expected < 0.45 for item in items)
    return ItemMap(Estimate(0.48, 0.21), items, easier, len(items) - easier - harder, harder)


def measurement() -> Measurement:
    """A linked calibration."""
    fitted = datetime(2026, 3, 8, 3, 15, 23, tzinfo=UTC)
    return Measurement("fit-2026-03-08T03:15:23Z", "2PL", fitted, 150, 500, Linking(1.024, 0.051, 48, "stocking-lord"))


def thin(language: Language = Language.EN, audience: Audience = Audience.LEARNER) -> WeeklyReport:
    """A learner with three answers."""
    topics = TOPICS[language]
    items = tuple(PractisedItem(f"Q-{k:03d}", topics[0], 0.5 * k - 0.4, 0.6 - 0.1 * k, k == 0) for k in range(3))
    measures = (WeeklyMeasure(WEEK, Estimate(-0.31, 1.02), 3),)
    percentile = Absent.TOO_UNCERTAIN if audience is Audience.TEACHER else Absent.NOT_ALLOWED
    return replace(
        full(language, audience),
        headline=Headline(Change.UNKNOWN, None, n_weeks=1, n_answers=3),
        trend=Trend(measures, Absent.TOO_FEW_WEEKS, None, None, (), Absent.TOO_FEW_WEEKS),
        standing=Standing(Estimate(-0.12, 0.78), 3, None, percentile),
        topics=(TopicPractice(topics[0], 3, 1, Interval(0.333, 0.061, 0.792), None, None, TopicVerdict.LIKE_THE_REST),),
        item_map=ItemMap(Estimate(-0.12, 0.78), items, 0, 2, 1),
        kpis=(),
        goals=(),
        effort=Absent.NO_TIMES,
        next_topics=(),
        next_items=(SuggestedItem("L-001", topics[0], None, 0.66, ItemReason.RIGHT_DIFFICULTY),),
        examples=(),
        measurement=replace(measurement(), linking=Absent.NOT_LINKED),
        risk=Absent.TOO_FEW_WEEKS,
        segment=Absent.NOT_ALLOWED,
    )


def school_class(language: Language = Language.EN) -> ClassReport:
    """A class of twelve."""
    steps = (
        NextStep.KEEP_GOING,
        NextStep.TALK,
        NextStep.KEEP_GOING,
        NextStep.SUPPORT,
        NextStep.STRETCH,
        NextStep.MORE_ANSWERS,
    )
    changes = (Change.UP, Change.NO_CLEAR_CHANGE, Change.UP, Change.DOWN, Change.LEVEL, Change.UNKNOWN)
    learners = tuple(
        ClassLearner(
            f"u-{index:04d}",
            name,
            None if index % 6 == 5 else Estimate(-1.1 + 0.21 * index, 0.24),
            None if index % 6 == 5 else Estimate(0.11 - 0.02 * index, 0.04),
            changes[index % 6],
            0 if index == 1 else 5 + 2 * index,
            0.34 if index % 6 == 1 else None,
            steps[index % 6],
        )
        for index, name in enumerate(PUPILS[language])
    )
    topics = tuple(
        ClassTopic(
            topic, 11 - k, 60 - 9 * k, Interval(share, share - 0.1, share + 0.09), Estimate(0.2 - 0.15 * k, 0.08)
        )
        for k, topic in enumerate(TOPICS[language])
        for share in [0.7 - 0.1 * k]
    )
    return ClassReport(
        classroom_id="7b",
        name="7B" if language is Language.EN else "7학년 2반",
        language=language,
        week=WEEK,
        as_of=WEEK + timedelta(days=6),
        n_learners=12,
        n_active=11,
        mean=Estimate(0.03, 0.11),
        spread=Interval(0.71, 0.49, 1.08),
        mean_slope=Estimate(0.03, 0.012),
        learners=learners,
        topics=topics,
        measurement=measurement(),
        sources=("fit-2026-03-08T03:15:23Z",),
    )
