"""Where learners stand: θ of the day, the level that it is, and the percentile within the class or among all."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import psycopg

from thetaline.jobs.arrays import Array
from thetaline.jobs.reports.learners import Ability, Classroom, Cohort, abilities_on
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.reports.percentile import LEAST_MEMBERS, Group, told
from thetaline.reports.value import Absent, Percentile

Connection = psycopg.Connection[Any]
EVERYBODY = Classroom("", "")  # the group of who has no class of ten


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """θ (2, n) and standard errors of whoever a learner is held against, by learner_no, and the groups made of them."""

    cohort: Cohort
    theta: Mapping[int, tuple[float, float]]
    members: Mapping[str, list[int]]
    made: dict[str, Group | None] = field(default_factory=dict)

    @classmethod
    def read(cls, conn: Connection, runs: WeekRuns, cohort: Cohort) -> Self:
        """Of the classes of the cohort's learners, and of all active learners where one of them has no class of ten."""
        members: dict[str, list[int]] = defaultdict(list)
        for number, classroom in cohort.classes.items():
            members[classroom.classroom_id].append(number)
        mine = {_class_of(cohort, number).classroom_id for number in cohort.user_ids}
        small = any(len(members[one]) < LEAST_MEMBERS for one in mine)
        members[EVERYBODY.classroom_id] = sorted(cohort.active)
        wanted = cohort.active if small else {number for one in mine for number in members[one]}
        found = abilities_on(conn, sorted(wanted), runs.as_of)
        theta = {number: (one.theta.value, one.theta.se) for number, one in found.items()}
        return cls(cohort, theta, members)

    def percentiles(self, abilities: Mapping[int, Ability]) -> dict[int, Percentile | Absent]:
        """By learner_no of those with a θ; the class is the group where it has ten with one."""
        by_class: dict[Classroom, list[int]] = defaultdict(list)
        for number in abilities:
            classroom = _class_of(self.cohort, number)
            by_class[classroom if self._group(classroom.classroom_id) else EVERYBODY].append(number)
        found: dict[int, Percentile | Absent] = {}
        for classroom, numbers in by_class.items():
            group = self._group(classroom.classroom_id)
            if group is None:
                found |= dict.fromkeys(numbers, Absent.GROUP_TOO_SMALL)
                continue
            theta, se = _columns([(abilities[one].theta.value, abilities[one].theta.se) for one in numbers])
            for number, standing in zip(numbers, group.percentiles(theta, se).T.tolist(), strict=True):
                value = told(*standing)
                found[number] = Percentile(value, classroom.name, group.n) if value else Absent.TOO_UNCERTAIN
        return found

    def _group(self, classroom_id: str) -> Group | None:
        if classroom_id not in self.made:
            known = [self.theta[one] for one in self.members[classroom_id] if one in self.theta]
            self.made[classroom_id] = Group.of(*_columns(known)) if len(known) >= LEAST_MEMBERS else None
        return self.made[classroom_id]


def _class_of(cohort: Cohort, number: int) -> Classroom:
    return cohort.classes.get(number, EVERYBODY)


def _columns(pairs: list[tuple[float, float]]) -> tuple[Array, Array]:
    theta, se = np.array(pairs, float).reshape(-1, 2).T
    return theta, se
