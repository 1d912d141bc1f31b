"""Segments: learners grouped by how they learn, where there are groups; needs the extra `segments`."""

from thetaline.learning.segments.features import (
    Feature as Feature,
    FeatureTable as FeatureTable,
    activity_features as activity_features,
)
from thetaline.learning.segments.fit import segment_learners as segment_learners
from thetaline.learning.segments.labels import NO_STRUCTURE as NO_STRUCTURE, UNSTABLE as UNSTABLE, words_of as words_of
from thetaline.learning.segments.matching import LastSegments as LastSegments
from thetaline.learning.segments.number import ClusterNumber as ClusterNumber
from thetaline.learning.segments.result import (
    NOT_ASSIGNED as NOT_ASSIGNED,
    Segment as Segment,
    Segmentation as Segmentation,
)
