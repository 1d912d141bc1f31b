"""Change the sources in a random sample of places, one at a time, and see which changes no test notices.

A run goes on where it was ended, as long as neither the sources nor the tests have changed.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import languages, report
from .campaign import Campaign, Journal
from .measure import measure
from .mutants import Mutant, sample
from .reach import Reach
from .trees import CHECKOUT, Tree, checkout_files, fingerprint

SOURCES = CHECKOUT / "src"
REVIEWED = Path(__file__).with_name("equivalent.toml")


def main() -> int:
    """Returns 1 where a smaller share than asked for is caught."""
    options = _options()
    packages = [SOURCES / "thetaline" / name for name in options.packages]
    state = options.folder / fingerprint(checkout_files())
    mutants = _sample(packages, options)
    reach = _reach(state, packages, options.workers)
    campaign = Campaign(SOURCES, reach, Journal(state / "results.jsonl"), report.Reviewed(REVIEWED))
    files = checkout_files()
    trees = [Tree(state / f"tree-{number}", files) for number in range(1, options.workers + 1)]
    return _tell(_watched(campaign, mutants, trees), state, options.bound)


def _sample(packages: Sequence[Path], options: argparse.Namespace) -> list[Mutant]:
    def effective(mutant: Mutant) -> bool:
        before, after = languages.changed(SOURCES, mutant)
        return before != after

    places = languages.places(SOURCES, packages)
    return sample(places, count=options.count, seed=options.seed, effective=effective)


def _reach(state: Path, packages: Sequence[Path], workers: int) -> Reach:
    tree, lines, tests = state / "measured", state / "lines", state / "tests.json"
    if not lines.exists():
        print("measuring which tests reach which line: all tests once, with coverage on ...", flush=True)
        measured = [tree / package.relative_to(CHECKOUT) for package in packages]
        measure(Tree(tree, checkout_files()), measured, lines=lines, tests=tests, workers=workers)
    reach = Reach(tree, lines, tests)
    if reach.broken:
        print(f"{len(reach.broken)} tests fail without a mutation and are not used:", *reach.broken, sep="\n  ")
    return reach


def _watched(campaign: Campaign, mutants: Sequence[Mutant], trees: Sequence[Tree]) -> list[report.Result]:
    began, results = time.monotonic(), []
    for result in campaign.carry_out(mutants, trees):
        results.append(result)
        spent, outcome = time.monotonic() - began, result.outcome
        print(
            f"{len(results)}/{len(mutants)} {spent / 60:.1f} min  {outcome.outcome:<10} {outcome.seconds:6.1f} s"
            f"  {result.path}:{result.line}  {outcome.test}",
            flush=True,
        )
    return results


def _tell(results: Sequence[report.Result], state: Path, bound: float) -> int:
    (state / "survivors.md").write_text(report.survivors(results))
    caught = report.caught_percent(results)
    print(report.table(results))
    print(f"{caught:.1f} % caught, at least {bound:g} % asked for; the others are in {state / 'survivors.md'}")
    return int(caught < bound)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--count", type=int, default=600, help="mutants, as many of each package")
    parser.add_argument("--seed", type=int, default=1, help="of the sample: equal seeds on equal trees, equal samples")
    parser.add_argument("--bound", type=float, default=92.0, help="per cent that must be caught")
    parser.add_argument("--workers", type=int, default=2, help="mutants at a time")
    parser.add_argument("--packages", nargs="+", default=["irt", "learning", "jobs", "service"], help="of thetaline")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / ".mutants", help="for copies, results, survivors")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
