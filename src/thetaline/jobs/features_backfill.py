"""The contract's name of `jobs.features.topic_daily`."""

from thetaline.jobs.features.topic_daily import (
    backfill_features_topic_daily as backfill_features_topic_daily,
    backfill_user_topic_range as backfill_user_topic_range,
    load_user_topic_theta as load_user_topic_theta,
)
