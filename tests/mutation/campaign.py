"""Carries the mutants out on a few workers, and remembers the results, so that a run that was ended goes on."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path
from queue import SimpleQueue

from ..servers import careless_server
from . import databases, languages
from .mutants import Mutant
from .reach import Reach
from .report import Result, Reviewed, difference
from .runs import Outcome, Test, Worker
from .sources import enclosing
from .trees import Tree

_CHECKED_TESTS = 5


class Journal:
    """The results of a tree, a JSON object a line."""

    def __init__(self, path: Path) -> None:
        """Reads what there is."""
        self._path = path
        self._lock = threading.Lock()
        lines = path.read_text().splitlines() if path.exists() else []
        self.outcomes = {told["mutant"]: Outcome(**told["outcome"]) for told in map(json.loads, lines)}

    def keep(self, mutant: Mutant, outcome: Outcome) -> None:
        """Write it down at once."""
        with self._lock, self._path.open("a") as file:
            self.outcomes[mutant.name] = outcome
            file.write(json.dumps({"mutant": mutant.name, "outcome": asdict(outcome)}) + "\n")


class Campaign:
    """All that a run of mutants needs: the sources, which tests reach what, and what is known already."""

    def __init__(self, tree: Path, reach: Reach, journal: Path, reviewed: Path, *, longest: float) -> None:
        """`tree` is the copy of the checkout that is mutated, `longest` the seconds of tests that a mutant may take."""
        self._sources, self._reach, self._longest = tree / "src", reach, longest
        self._journal, self._reviewed = Journal(journal), Reviewed(reviewed)

    def carry_out(self, mutants: Sequence[Mutant], trees: Sequence[Tree], deadline: float) -> Iterator[Result]:
        """A result for each mutant, those that are known first; without a tree no other is tried.

        After `deadline`, in seconds of time.monotonic, no other mutant is begun.
        """
        left = [mutant for mutant in mutants if self._known(mutant) is None]
        yield from (self._result(mutant) for mutant in mutants if mutant not in set(left))
        if not left or not trees:
            return
        with _workers(trees) as idle, ThreadPoolExecutor(len(trees)) as pool:
            self._check(idle)
            for mutant in pool.map(lambda each: self._tried(each, idle, deadline), left):
                if self._known(mutant):
                    yield self._result(mutant)

    def _known(self, mutant: Mutant) -> Outcome | None:
        if self._reviewed.knows(*self._described(mutant)):
            return Outcome("equivalent", "", 0.0, self._longest)
        outcome = self._journal.outcomes.get(mutant.name)
        return None if outcome and outcome.outcome == "survived" and outcome.longest < self._longest else outcome

    def _tried(self, mutant: Mutant, idle: "SimpleQueue[Worker]", deadline: float) -> Mutant:
        if time.monotonic() >= deadline:
            return mutant
        tests, _ = self._tests(mutant)
        _, text = languages.changed(self._sources, mutant)
        worker = idle.get()
        try:
            with worker.tree.mutated(mutant.path, text):
                self._journal.keep(mutant, worker.outcome(tests, self._longest))
        finally:
            idle.put(worker)
        return mutant

    def _result(self, mutant: Mutant) -> Result:
        outcome = self._known(mutant)
        assert outcome is not None
        holder, removed, added = self._described(mutant)
        run, left_out = map(len, self._tests(mutant))
        return Result(mutant.package, mutant.path, mutant.line, holder, removed, added, run, left_out, outcome)

    def _tests(self, mutant: Mutant) -> tuple[Sequence[Test], Sequence[Test]]:
        """Those to run, the fastest, and those that would take too long."""
        tests = self._reach.tests_of(mutant.path, mutant.line)
        within = sum(spent <= self._longest for spent in accumulate(test.seconds for test in tests))
        return tests[: max(1, within)], tests[max(1, within) :]

    def _described(self, mutant: Mutant) -> tuple[str, str, str]:
        before, after = languages.changed(self._sources, mutant)
        holder = enclosing(before, mutant.line) if mutant.path.endswith(".py") else ""
        return (holder, *difference(before, after))

    def _check(self, idle: "SimpleQueue[Worker]") -> None:
        """A worker on which tests fail without a mutation would kill every mutant."""
        worker = idle.get()
        outcome = worker.outcome(self._reach.fastest(_CHECKED_TESTS), self._longest)
        idle.put(worker)
        if outcome.outcome != "survived":
            raise RuntimeError(
                f"{outcome.test or 'pytest'} fails on {worker.tree.root} without a mutation: {worker.output}"
            )


@contextmanager
def _workers(trees: Sequence[Tree]) -> Iterator["SimpleQueue[Worker]"]:
    with ExitStack() as stack:
        url = stack.enter_context(careless_server())
        idle: SimpleQueue[Worker] = SimpleQueue()
        for number, tree in enumerate(trees, 1):
            worker = Worker(tree, databases.Template(url, f"thetaline_mutants_{number}"))
            stack.callback(worker.close)
            idle.put(worker)
        yield idle
