"""How often a weekly report claims what is not so, by simulation with known truth; and the time of its values.

python -m benchmarks.report_claims [headlines | topics | percentiles | speed ..] (default all).  Same seeds, same
numbers.
"""

import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import psycopg
from numpy.typing import NDArray
from tests.learning.growth_cohorts import Cohort, Law, along, answered, drawn_lines

from benchmarks.night import Bank, prepare
from benchmarks.yardstick import once
from thetaline import db, irt
from thetaline.jobs.abilities import snapshot, weekly
from thetaline.jobs.abilities.answers import LearnerAnswers
from thetaline.jobs.abilities.item_bank import ItemBank
from thetaline.jobs.abilities.scoring import TopicScale, fit_topic_sd, topic_departures
from thetaline.jobs.growth import lines
from thetaline.jobs.kpis import compute
from thetaline.jobs.reports.read import class_reports, weekly_reports
from thetaline.jobs.runner import JobContext
from thetaline.learning.attempts import Attempts, first_per_pair
from thetaline.learning.growth import GrowthAnswers, GrowthSpec, fit_growth
from thetaline.learning.weekly_slope import own_slopes
from thetaline.reports.findings import clear_change, headline_change, topic_verdict
from thetaline.reports.percentile import Group
from thetaline.reports.policy import ReportOptions
from thetaline.reports.value import Audience, Change, Estimate, Language, TopicVerdict
from thetaline.settings import Settings

Floats = NDArray[np.float64]
WEEKS = 12
CLAIMS = (Change.UP, Change.DOWN)


@dataclass(frozen=True)
class Scene:
    """A cohort in which a share of learners does not grow; the others grow by N(0.08, 0.05²) a week."""

    name: str
    level_share: float
    in_order: bool = False  # the second half of the topics is taught in the second half of the weeks

    def school(self, n_learners: int, seed: int, fewest: int, most: int) -> Cohort:
        """From `fewest` to `most` answers of each learner in each week."""
        rng = np.random.default_rng(seed)
        truth = drawn_lines(n_learners, replace(Law(), slope=0.08, slope_sd=0.05, correlation=0.0), rng)
        truth[: round(n_learners * self.level_share), 1] = 0.0
        school = answered(along(truth, WEEKS), truth, most, rng, taught_in_order=self.in_order)
        kept = rng.integers(fewest, most + 1, (n_learners, WEEKS))[school.answers.learner, school.answers.week]
        return replace(school, answers=school.answers.where(np.tile(np.arange(most), n_learners * WEEKS) < kept))


SCENES = (
    Scene("nobody grows", 1.0),
    Scene("nobody grows, topics in order", 1.0, in_order=True),
    Scene("half grow", 0.5),
    Scene("half grow, topics in order", 0.5, in_order=True),
    Scene("nine of ten grow", 0.1),
)


def weekly_slopes(answers: GrowthAnswers) -> tuple[Floats, Floats]:
    """The slope of every learner's weekly WLE with its error, as a report has it."""
    who = answers.learner * WEEKS + answers.week
    first = first_per_pair(who, answers.item)
    who, answers = who[first], answers.where(first)
    responses = irt.Responses.from_long(who, answers.item, answers.category.astype(int))
    scores = irt.score(responses, answers.bank, method="WLE")
    ids = np.array(scores.ids.tolist())
    learner, week = (ids // WEEKS).astype(np.int32), (ids % WEEKS).astype(np.int32)
    return own_slopes(learner, week, scores.theta, scores.se, answers.n_learners)


def headlines_of(answers: GrowthAnswers, now: int) -> tuple[list[Change], list[Change]]:
    """What the pages of week `now` lead with, and what they would by the growth line alone."""
    known = answers.where(answers.week <= now)
    found = fit_growth(known, GrowthSpec(now_week=now)).lines()
    own = [Estimate(*one) for one in zip(*(part.tolist() for part in weekly_slopes(known)), strict=True)]
    line = [Estimate(*one) for one in zip(found.slope.tolist(), found.sd_slope.tolist(), strict=True)]
    monday = date(2025, 1, 6)
    since = [monday if bent else None for bent in found.bent.tolist()]
    rows = zip(line, own, found.n_weeks.tolist(), since, strict=True)
    said = [headline_change(one, mine, n, level_since=level) for one, mine, n, level in rows]
    alone = [clear_change(one, n) for one, n in zip(line, found.n_weeks.tolist(), strict=True)]
    return said, alone


def claimed(changes: list[Change], chosen: NDArray[np.bool_], claims: tuple[Change, ...] = CLAIMS) -> float:
    """The share of the chosen learners whose change is one of the claims; NaN of nobody."""
    return float(np.mean([one in claims for one in np.array(changes, object)[chosen]])) if chosen.any() else np.nan


def headline_rates(
    scene: Scene, n_learners: int, seed: int, weeks: tuple[int, ...], answers: tuple[int, int]
) -> Floats:
    """(weeks, 3): claims of change where none is, the same by lines alone, growth that is told."""
    school = scene.school(n_learners, seed, *answers)
    still = school.slope == 0
    rows = []
    for now in weeks:
        said, alone = headlines_of(school.answers, now)
        rows.append((claimed(said, still), claimed(alone, still), claimed(said, ~still, (Change.UP,))))
    return np.array(rows)


def headlines(n_learners: int = 300, replications: int = 5) -> None:
    weeks = (2, 3, 5, 8, 11)
    for answers in ((3, 15), (15, 40)):
        for scene in SCENES:
            rates = [
                headline_rates(scene, n_learners, seed, weeks=weeks, answers=answers) for seed in range(replications)
            ]
            mean = np.mean(rates, axis=0)
            for week, (said, alone, growth) in zip(weeks, mean, strict=True):
                told = f"claims {said:.3f} (reach 0.05), by the line alone {alone:.3f}; growth told {growth:.3f}"
                print(f"{answers[0]:2d}–{answers[1]} answers, {scene.name}, week {week + 1:2d}: {told}", flush=True)


@dataclass(frozen=True)
class TopicScene:
    """Learners with answers to several topics whose θ lie `topic_sd` around the general one."""

    n_learners: int
    n_topics: int
    fewest: int
    most: int
    topic_sd: float = 0.0

    def school(self, seed: int) -> tuple[LearnerAnswers, ItemBank, Floats]:
        """Answers in one window, the bank, the true departures (N, T)."""
        rng = np.random.default_rng(seed)
        a, b = rng.lognormal(0, 0.3, 400), rng.normal(0, 1, 400)
        n = rng.integers(self.fewest, self.most + 1, (self.n_learners, self.n_topics))
        learner, of_topic = (part.ravel() for part in np.indices(n.shape))
        learner, of_topic = np.repeat(learner, n.ravel()), np.repeat(of_topic, n.ravel())
        item = of_topic + self.n_topics * rng.integers(0, 400 // self.n_topics, learner.size)
        theta, departure = rng.normal(0, 1, self.n_learners), rng.normal(0, self.topic_sd, n.shape)
        at = theta[learner] + departure[learner, of_topic]
        right = rng.random(learner.size) < 1 / (1 + np.exp(-a[item] * (at - b[item])))
        nothing = np.full(learner.size, -1)
        attempts = Attempts(
            learner=learner.astype(np.int32),
            item=item.astype(np.int32) + 1,
            correct=right.astype(np.int8),
            day=np.zeros(learner.size, np.int32),
            time_ms=nothing.astype(np.int32),
            hint=nothing.astype(np.int8),
            session=nothing.astype(np.int32),
            n_learners=self.n_learners,
        )
        answers = LearnerAnswers(np.arange(self.n_learners, dtype=np.int32), of_topic.astype(np.int32) + 1, attempts)
        numbers = np.arange(1, 401, dtype=np.int32)
        bank = ItemBank("bench", ("bench",) * 400, "2PL", irt.Items(ids=numbers.tolist(), a=a, b=b), numbers, 0.0, 1.0)
        return answers.first_known(), bank, departure


def topic_rates(scene: TopicScene, seed: int) -> tuple[float, float, float]:
    """Share of topics that are named, share of these on the right side, the estimated spread of topics."""
    answers, bank, departure = scene.school(seed)
    topic_sd = fit_topic_sd(answers, bank)
    found = topic_departures(answers, bank, TopicScale.of(bank, topic_sd))
    verdicts = [topic_verdict(Estimate(*one)) for one in zip(found.theta.tolist(), found.se.tolist(), strict=True)]
    named = np.array([one is not TopicVerdict.LIKE_THE_REST for one in verdicts])
    right = np.sign(departure[found.learner, found.topic_no - 1]) == np.sign(found.theta)
    return float(named.mean()), float(right[named].mean()) if named.any() else np.nan, topic_sd


def topics(replications: int = 5) -> None:
    shapes = ((1500, 6, 1, 7), (1500, 6, 5, 15), (1500, 3, 20, 40), (150, 6, 5, 15), (150, 3, 20, 40))
    for shape in shapes:
        for topic_sd in (0.0, 0.4, 0.8):
            rates = np.array([topic_rates(TopicScene(*shape, topic_sd), seed) for seed in range(replications)])
            named, estimated = rates[:, 0].mean(), rates[:, 2].mean()
            reach = "  reach 0.05" if topic_sd == 0 else f", {np.nanmean(rates[:, 1]):.2f} of them rightly"
            told = f"{shape[2]}–{shape[3]} answers to each of {shape[1]} topics, spread {topic_sd:.1f}"
            print(f"{shape[0]} learners, {told} (estimated {estimated:.2f}): named {named:.4f}{reach}", flush=True)


def percentile_coverage(n_members: int, seed: int, replications: int = 200) -> tuple[float, float]:
    """Share of learners whose interval holds the true rank, and of those whose percentile is told."""
    rng = np.random.default_rng(seed)
    held, told = [], []
    for _ in range(replications):
        truth, se = rng.normal(0, 1, n_members), rng.uniform(0.2, 0.5, n_members)
        precision = 1 + 1 / se**2
        mean, sd = rng.normal(truth, se) / se**2 / precision, precision**-0.5
        _, low, high = Group.of(mean, sd).percentiles(mean, sd)
        rank = 100 * (np.argsort(np.argsort(truth)) + 0.5) / n_members
        held.append((rank >= low) & (rank <= high))
        told.append(high - low <= 40)
    return float(np.mean(held)), float(np.mean(told))


def percentiles() -> None:
    for n_members in (10, 25, 100, 1000):
        held, told = percentile_coverage(n_members, 1, 200 if n_members < 1000 else 20)
        print(f"group of {n_members:4d}: interval holds the rank {held:.3f}, told {told:.3f}", flush=True)


def jobs_done(url: str, day: date) -> Iterator[str]:
    """The jobs whose rows the reports read."""
    now = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    with db.connect(url) as conn:
        for job in (weekly, snapshot, compute, lines):
            context = JobContext(job.JOB, Settings(_env_file=None), url, conn, day, now, dry_run=False)
            job.work(context)
            conn.commit()
            yield job.JOB


def write_school(conn: psycopg.Connection, n_learners: int, n_answers: int) -> None:
    """Twelve weeks of answers, in classes of 25."""
    prepare(conn, Bank(n_learners, np.random.default_rng(1)), n_answers, 84)
    n_classes = n_learners // 25
    conn.execute("insert into classroom select 'c' || n from generate_series(1, %s) as n", [n_classes])
    conn.execute(
        """insert into session (session_id, user_id, classroom_id, started_at)
           select user_id, user_id, 'c' || (1 + learner_no %% %s), '2025-11-01' from learner""",
        [n_classes],
    )
    conn.commit()


def speed(n_learners: int = 10_000, n_answers: int = 1_000_000) -> None:
    sunday = date(2025, 11, 2)
    options = ReportOptions(audience=Audience.TEACHER, language=Language.EN)
    with tempfile.TemporaryDirectory(prefix="claims-") as folder:
        root = Path(folder) / "db"
        with db.embedded.lease(root) as held:
            db.migrate(held.url)
            with db.connect(held.url) as conn:
                write_school(conn, n_learners, n_answers)
            print("stored by", ", ".join(jobs_done(held.url, sunday)), flush=True)
            with db.connect(held.url) as conn:
                for read in (weekly_reports, class_reports):
                    time, n = once(partial(_count, read, conn, sunday - timedelta(days=6), options))
                    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                    print(f"{n:6d} by {read.__name__}: {time} in this process, peak {rss:,.0f} MB", flush=True)
        db.embedded.stop(root)


def _count(read: Callable[..., Iterator[object]], conn: psycopg.Connection, week: date, options: ReportOptions) -> int:
    return sum(1 for _ in read(conn, week, options=options))


PARTS = {"headlines": headlines, "topics": topics, "percentiles": percentiles, "speed": speed}

if __name__ == "__main__":
    for name in sys.argv[1:] or list(PARTS):
        PARTS[name]()
