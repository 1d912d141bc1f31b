"""Change the sources in a random sample of places, one at a time, and see which changes no test notices.

A run goes on where it was ended, as long as neither the sources nor the tests have changed; with `--minutes 0` it
tells what is known until then.
"""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import languages, report
from .campaign import Campaign
from .measure import measure
from .mutants import Mutant, sample
from .reach import Reach
from .trees import CHECKOUT, Tree, checkout_files, fingerprint

LINES, TESTS = "lines", "tests.json"
REVIEWED = Path(__file__).with_name("equivalent.toml")


def main() -> int:
    """Returns 1 where a smaller share than asked for is caught."""
    options = _options()
    files = checkout_files()
    state = options.folder / fingerprint(files, options.tests)
    measured = _measured(state, files, options)
    mutants = _sample(measured / "src", options)
    campaign = Campaign(measured, _reach(state, measured), state / "results.jsonl", REVIEWED, longest=options.longest)
    workers = options.workers if options.minutes else 0  # another run may be at work in the trees
    trees = [Tree(state / f"tree-{number}", files, measured) for number in range(1, workers + 1)]
    return _tell(_watched(campaign, mutants, trees, 60 * options.minutes), state, options.bound)


def _measured(state: Path, files: list[Path], options: argparse.Namespace) -> Path:
    """The copy of the checkout in which was measured which tests reach which line; the work goes on in the checkout."""
    root = state / "measured"
    if not (state / LINES).exists():
        print("measuring which tests reach which line: each once, with coverage on ...", flush=True)
        measure(Tree(root, files), options.tests, state / LINES, state / TESTS, workers=options.workers)
    return root


def _reach(state: Path, measured: Path) -> Reach:
    reach = Reach(measured, state / LINES, state / TESTS)
    if reach.broken:
        print(f"{len(reach.broken)} tests fail without a mutation and are not used:", *reach.broken, sep="\n  ")
    return reach


def _sample(sources: Path, options: argparse.Namespace) -> list[Mutant]:
    def effective(mutant: Mutant) -> bool:
        before, after = languages.changed(sources, mutant)
        return before != after

    places = languages.places(sources, [sources / "thetaline" / name for name in options.packages])
    return sample(places, count=options.count, seed=options.seed, effective=effective)


def _watched(campaign: Campaign, mutants: Sequence[Mutant], trees: Sequence[Tree], secs: float) -> list[report.Result]:
    began, results = time.monotonic(), []
    for result in campaign.carry_out(mutants, trees, began + secs):
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
    parser.add_argument("--longest", type=float, default=60.0, help="seconds of tests a mutant, the fastest first")
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which no other mutant is begun")
    parser.add_argument("--tests", nargs="+", default=["tests"], help="that are to notice")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / ".mutants", help="for copies, results, survivors")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
