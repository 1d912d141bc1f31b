"""The closed sets of a report: who reads it, in which language, and what can be found or be missing."""

from enum import StrEnum


class Audience(StrEnum):
    """Who reads the page; a learner's and a family's have no rank, percentile, risk or segment unless allowed."""

    LEARNER = "learner"
    TEACHER = "teacher"
    FAMILY = "family"


class Language(StrEnum):
    """The languages that every text exists in."""

    KO = "ko"
    EN = "en"


class Absent(StrEnum):
    """Why a section has no numbers."""

    NO_ANSWERS = "no_answers"  # none in the week
    TOO_FEW_ANSWERS = "too_few_answers"
    TOO_FEW_WEEKS = "too_few_weeks"
    GROUP_TOO_SMALL = "group_too_small"
    TOO_UNCERTAIN = "too_uncertain"  # an interval too wide to be told
    NOT_FITTED = "not_fitted"  # the model found no answer, or did not run
    NOT_PUBLISHED = "not_published"  # no calibration is published
    NOT_LINKED = "not_linked"  # the scale is that of the calibration itself
    NO_GOAL = "no_goal"
    NO_TIMES = "no_times"  # response times are not recorded
    NOT_ALLOWED = "not_allowed"  # this reader's page does not show it


class Change(StrEnum):
    """What is known of a change."""

    UP = "up"
    DOWN = "down"
    NO_CLEAR_CHANGE = "no_clear_change"
    LEVEL = "level"  # has been level since a week: a plateau
    UNKNOWN = "unknown"


class GoalVerdict(StrEnum):
    """Whether the level that a goal names is reached by now, and how sure that is."""

    MET = "met"
    MET_WITHIN_ERROR = "met_within_error"
    NOT_MET_WITHIN_ERROR = "not_met_within_error"
    NOT_MET = "not_met"


class TopicVerdict(StrEnum):
    """A topic beside the learner's general level; `LIKE_THE_REST` wherever that is not clear."""

    STRONGER = "stronger"
    WEAKER = "weaker"
    LIKE_THE_REST = "like_the_rest"


class ItemReason(StrEnum):
    """Why an item is suggested."""

    WEAKER_TOPIC = "weaker_topic"
    MISSED_BEFORE = "missed_before"  # a like item of the topic was missed
    RIGHT_DIFFICULTY = "right_difficulty"
    LITTLE_PRACTISED = "little_practised"
