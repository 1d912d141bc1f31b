"""A week of a learner, and of a class, as one frozen value; then rendered as HTML or PDF, in Korean or English."""

from thetaline.reports.value import Audience as Audience, Language as Language, WeeklyReport as WeeklyReport
