"""How often reports claim what is not so: short versions of benchmarks/report_claims.py."""

import numpy as np
import pytest
from benchmarks.report_claims import Scene, TopicScene, headline_rates, percentile_coverage, topic_rates


def test_hardly_any_learner_of_a_cohort_without_growth_is_said_to_change() -> None:
    said, _, _ = headline_rates(Scene("nobody grows", 1.0), 150, 1, weeks=(5, 11), answers=(3, 15)).T
    assert said.max() <= 0.05


def test_a_learner_who_does_not_grow_is_not_lifted_into_the_headline_by_a_cohort_that_does() -> None:
    scene = Scene("four of five grow", 0.2)
    rates = [headline_rates(scene, 200, seed, weeks=(8,), answers=(3, 15))[0] for seed in (0, 1)]
    said, by_line_alone, growth_told = np.mean(rates, axis=0)
    assert said <= 0.05
    assert by_line_alone > 0.1
    assert growth_told > 0.1


@pytest.mark.parametrize("n_learners", [300, 150], ids=["spread estimated", "spread as stated"])
def test_hardly_any_topic_is_named_on_unidimensional_answers_and_those_apart_are_named_rightly(n_learners: int) -> None:
    named, _, _ = topic_rates(TopicScene(n_learners, 6, 5, 15), 1)
    assert named <= 0.05
    named, right, _ = topic_rates(TopicScene(n_learners, 6, 5, 15, topic_sd=0.8), 1)
    assert named > 0.02
    assert right > 0.9


def test_percentile_intervals_hold_the_true_rank() -> None:
    held, told = percentile_coverage(25, 1, replications=60)
    assert 0.95 < held < 0.99
    assert 0 < told < 1
