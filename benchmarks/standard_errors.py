"""Standard errors in units of calibrations, and polytomous data against dichotomous ones per table entry.

python -m benchmarks.standard_errors: reaches are 5 calibrations for 20,000 × 100, and 4 times per entry for 20,000 × 50
items of 5 categories.
"""

from benchmarks.simulated import complete, polytomous, sparse
from benchmarks.yardstick import Time, best, report
from thetaline import irt


def errors_in_calibrations(title: str, responses: irt.Responses, reach: str) -> None:
    calibration, fit = best(lambda: irt.calibrate(responses))
    for method in ("oakes", "crossproduct", "sandwich"):
        taken, se = best(lambda method=method: fit.standard_errors(method), 2)
        report(f"{title}, {method}, {se.form}", taken, calibration, reach)


def entries(responses: irt.Responses, fit: irt.Fit) -> float:
    """Persons times table rows: what a dense product has to touch."""
    return responses.n_persons * float(fit.items.offsets[-1])


def scaled(taken: Time, factor: float) -> Time:
    return Time(taken.wall * factor, taken.cpu * factor)


def main() -> None:
    two = irt.Responses.from_matrix(complete(20_000, 100))
    errors_in_calibrations("20,000 × 100 complete", two, "≤ 5")
    errors_in_calibrations("20,000 × 1,000 × 40 sparse", sparse(20_000, 1_000, 40).responses(), "—")
    five = irt.Responses.from_matrix(polytomous(20_000, 50, 5))
    yardstick, fit = best(lambda: irt.calibrate(two))
    unit = scaled(yardstick, 1 / entries(two, fit))
    for model in ("GRM", "GPCM"):
        taken, fit = best(lambda model=model: irt.calibrate(five, model=model))
        report(f"20,000 × 50 × 5 categories, {model}, per entry", scaled(taken, 1 / entries(five, fit)), unit, "≤ 4")
        print(f"    {fit}, {fit.population.nodes.shape[1]} nodes")


if __name__ == "__main__":
    main()
