"""The first snapshot under a calibration finds how much learners' topics differ."""

import numpy as np
import pytest
from learners import Answer, Connection, bank_params, publish_items, write_answers
from thetas import TOPICS, snapshot

from thetaline.jobs.abilities import scoring

LEARNERS, ITEMS = 420, 60


def answered(conn: Connection, spread: float) -> None:
    """Everybody answers all items once; each learner's topics lie around the own general level by `spread`."""
    rng = np.random.default_rng(17)
    params = bank_params(ITEMS, rng)
    theta = rng.normal(0, 1, (LEARNERS, 1)) + spread * rng.normal(0, 1, (LEARNERS, len(TOPICS)))
    answers = [
        Answer(f"u{n:03d}", item, bool(rng.random() < 1 / (1 + np.exp(-one["a"] * (level - one["b"])))), topic=topic)
        for n in range(LEARNERS)
        for item, one in params.items()
        for topic, level in [(TOPICS[item % len(TOPICS)], theta[n, item % len(TOPICS)])]
    ]
    write_answers(conn, answers)
    publish_items(conn, params)


@pytest.mark.parametrize("sample", [scoring.SAMPLE_LEARNERS, LEARNERS // 2])
@pytest.mark.parametrize("spread", [0.25, 0.9])
def test_the_spread_of_topics_is_found_from_all_learners_or_an_even_sample(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch, spread: float, sample: int
) -> None:
    monkeypatch.setattr(scoring, "SAMPLE_LEARNERS", sample)
    answered(conn, spread)
    assert snapshot(conn, database)["topic_sd"] == pytest.approx(spread, abs=0.12)
