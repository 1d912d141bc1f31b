"""Anomalies and change points against known truth: alarms of quiet weeks, false discoveries, power.

python -m benchmarks.forecast_anomalies [series [replications]]: of weeks of 10,000 quiet series of each metric, how
many raise an alarm; with a shift planted in 1 % of the series, the share of them that is found, by its size in standard
deviations of the prediction, and the share of false alarms among all (reach 10 %); of series in which nothing changed,
the share with a change point (reach 5 %), and the share of lasting shifts that are found.
"""

import sys
from typing import NamedTuple

import numpy as np

from benchmarks.simulated_weeks import simulated_weeks
from benchmarks.yardstick import once
from thetaline.learning.forecast import Metric, Panel, PanelForecast, WeekTest, anomalies, forecast_panel

WEEKS = 13
QUIET = ("constant", "random walk")
PLANTED = 0.01
SHIFTS = (3.0, 4.0, 5.0, 6.0, 8.0)


class Alarms(NamedTuple):
    found: int
    false: int
    planted: int


def quiet_panel(rng: np.random.Generator, metric: Metric, n: int, weeks: int = WEEKS) -> Panel:
    simulated = simulated_weeks(rng, n, weeks, kinds=QUIET)
    panel = simulated.panel(metric)
    return Panel(metric, panel.value, panel.size, np.zeros(weeks, bool))


def newest(fit: PanelForecast) -> WeekTest:
    if fit.newest is None:
        raise ValueError(fit.reason)
    return fit.newest


def planted_week(rng: np.random.Generator, metric: Metric, n: int, shift: float) -> Alarms:
    """Alarms of a week where a share of the series lies `shift` sd of its prediction lower or higher."""
    panel = quiet_panel(rng, metric, n)
    test = newest(forecast_panel(panel))
    if not shift:
        return Alarms(0, int(anomalies(test.score, test.p).sum()), 0)
    odd = np.isfinite(test.p) & (rng.random(n) < PLANTED)
    value = panel.value.copy()
    value[odd, -1] = shifted(panel, test, odd, shift * rng.choice([-1, 1], int(odd.sum())))
    test = newest(forecast_panel(Panel(metric, value, panel.size, panel.left_out)))
    alarm = anomalies(test.score, test.p)
    return Alarms(int((alarm & odd).sum()), int((alarm & ~odd).sum()), int(odd.sum()))


def shifted(panel: Panel, test: WeekTest, odd: np.ndarray, sds: np.ndarray) -> np.ndarray:
    """The newest values moved on the model's scale, kept in the metric's bounds."""
    scale, value, size = panel.metric.scale, panel.value[odd, -1], panel.size[odd, -1]
    y = scale.to_model(value, size)[0]
    expected = scale.to_model(test.expected[odd], size)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.abs((y - expected) / test.score[odd])
    return scale.from_model(y + sds * np.nan_to_num(sd), size)


def change_shares(rng: np.random.Generator, n: int, weeks: int, shift: float) -> tuple[float, float]:
    """Of θ that walks, the share of series with a change point, and of right weeks (± 1) among them."""
    panel = quiet_panel(rng, Metric.THETA, n, weeks)
    value = panel.value.copy()
    at = weeks // 2
    value[: n // 10, at:] += shift
    found = forecast_panel(Panel(Metric.THETA, value, panel.size, panel.left_out)).changes
    if found is None:
        raise ValueError("not fitted")
    of = found.week[: n // 10] if shift else found.week
    share = float((of >= 0).mean())
    return share, float((np.abs(of[of >= 0] - at) <= 1).mean()) if share else 0.0


def main(n: int = 10_000, replications: int = 10) -> None:
    rng = np.random.default_rng(12)
    for metric in Metric:
        alarms = [planted_week(rng, metric, n, 0.0).false for _ in range(replications)]
        print(f"{metric}: alarms in weeks of {n:,} quiet series {alarms}", flush=True)
        for shift in SHIFTS:
            found, false, planted = np.sum(
                [planted_week(rng, metric, n, shift) for _ in range(max(1, replications // 4))], 0
            )
            rate = false / max(found + false, 1)
            print(f"  shift {shift} sd: found {found / planted:6.1%}, false of all {rate:5.1%}  reach 10 %", flush=True)
    for weeks in (12, 26, 52, 104):
        none, _ = change_shares(rng, n // 5, weeks, 0.0)
        print(f"{weeks} weeks of θ without a change: {none:.1%} have one  reach 5 %", flush=True)
        for shift in (0.5, 1.0, 1.5):
            share, right = change_shares(rng, n // 5, weeks, shift)
            print(f"  a shift of θ by {shift}: {share:6.1%} found, {right:.0%} of them within a week", flush=True)
    for weeks in (12, 104):
        panels = [quiet_panel(rng, metric, n, weeks) for metric in Metric]
        taken, _ = once(lambda panels=panels: [forecast_panel(panel) for panel in panels])
        print(f"four metrics of {n:,} learners, {weeks} weeks: {taken}  reach 60 s", flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
