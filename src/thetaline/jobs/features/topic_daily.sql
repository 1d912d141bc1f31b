-- name: topic_theta
-- A topic without answers has no topic_no, and gets the general θ.
with requested as (
    select topic_id from topic where cast(%(topic_ids)s as text[]) is null
    union
    select unnest(cast(%(topic_ids)s as text[]))
)
select learner.user_id, requested.topic_id, found.theta, found.se, found.source
from learner
cross join requested
left join topic using (topic_id)
cross join lateral theta_on(learner.learner_no, coalesce(topic.topic_no, 0), cast(%(day)s as date)) as found
where learner.user_id = any(cast(%(user_ids)s as text[]))

-- name: make_days
create temporary table feature_day (
    learner_no integer, topic_no integer, date date, attempts bigint, correct bigint, avg_time_ms float8, rt_median float8,
    hints bigint, last_seen_at timestamptz
) on commit drop

-- name: aggregate_days
-- Unanswered questions do not count. An unknown time or hint is null. The day comes from the given starts of days and not
-- from a time zone by name, so that days are the same here as everywhere else.
insert into feature_day
select
    answer.learner_no,
    answer.topic_no,
    cast(%(first_day)s as date) - 1 + width_bucket(answer.answered_at, cast(%(starts)s as timestamptz[])) as date,
    count(*) as attempts,
    count(*) filter (where answer.correct) as correct,
    avg(answer.response_time_ms)::float8 as avg_time_ms,
    percentile_cont(0.5) within group (order by answer.response_time_ms) as rt_median,
    case when count(answer.hint_used) > 0 then count(*) filter (where answer.hint_used) end as hints,
    max(answer.answered_at) as last_seen_at
from answer
where answer.answered_at >= cast(%(start)s as timestamptz)
  and answer.answered_at < cast(%(stop)s as timestamptz)
  and answer.correct is not null
  and answer.topic_no is not null
  and (cast(%(learners)s as integer[]) is null or answer.learner_no = any(cast(%(learners)s as integer[])))
group by 1, 2, 3

-- name: analyze_days
analyze feature_day

-- name: drop_days
drop table feature_day

-- name: memoize_off
-- No two rows look up the same θ: Memoize nodes never hit and cost a third of the time.
select current_setting('enable_memoize'), set_config('enable_memoize', 'off', true)

-- name: set_memoize
select set_config('enable_memoize', cast(%(before)s as text), true)

-- name: upsert_features
insert into features_topic_daily as stored (
    user_id, topic_id, date, attempts, correct, avg_time_ms, rt_median, hints, theta_estimate, theta_sd, improvement,
    last_seen_at, computed_at
)
select
    learner.user_id, topic.topic_id, daily.date, daily.attempts, daily.correct, daily.avg_time_ms, daily.rt_median,
    daily.hints, now_known.theta, now_known.se,
    -- Where nothing was estimated in between, both are one estimate, and their difference says nothing.
    case when now_known.source = before_known.source
              and (now_known.theta, now_known.se) is distinct from (before_known.theta, before_known.se)
         then now_known.theta - before_known.theta end,
    daily.last_seen_at, cast(%(now)s as timestamptz)
from feature_day as daily
join learner using (learner_no)
join topic using (topic_no)
left join lateral (
    select * from theta_on(daily.learner_no, daily.topic_no, daily.date) where cast(%(with_theta)s as boolean)
) as now_known on true
left join lateral (
    select * from theta_on(daily.learner_no, daily.topic_no, daily.date - 7) where cast(%(with_theta)s as boolean)
) as before_known on true
order by daily.learner_no, daily.topic_no, daily.date
on conflict (user_id, topic_id, date) do update set
    attempts = excluded.attempts,
    correct = excluded.correct,
    avg_time_ms = excluded.avg_time_ms,
    rt_median = excluded.rt_median,
    hints = excluded.hints,
    theta_estimate = coalesce(excluded.theta_estimate, stored.theta_estimate),
    theta_sd = case when excluded.theta_estimate is null then stored.theta_sd else excluded.theta_sd end,
    improvement = case when excluded.theta_estimate is null then stored.improvement else excluded.improvement end,
    last_seen_at = excluded.last_seen_at,
    computed_at = excluded.computed_at
-- Most rows are as they were the night before; an equal row is not written again.
where (stored.attempts, stored.correct, stored.avg_time_ms, stored.rt_median, stored.hints, stored.last_seen_at)
        is distinct from
      (excluded.attempts, excluded.correct, excluded.avg_time_ms, excluded.rt_median, excluded.hints,
       excluded.last_seen_at)
   or (excluded.theta_estimate is not null
       and (stored.theta_estimate, stored.theta_sd, stored.improvement)
             is distinct from (excluded.theta_estimate, excluded.theta_sd, excluded.improvement))

-- name: delete_vanished
-- Of days whose answers are gone: the exam was deleted, or its time was changed.
delete from features_topic_daily as stored
using learner, topic
where learner.user_id = stored.user_id
  and topic.topic_id = stored.topic_id
  and stored.date >= cast(%(first_day)s as date)
  and stored.date <= cast(%(last_day)s as date)
  and stored.attempts > 0
  and (cast(%(learners)s as integer[]) is null or learner.learner_no = any(cast(%(learners)s as integer[])))
  and not exists (
      select from feature_day as daily
      where daily.learner_no = learner.learner_no and daily.topic_no = topic.topic_no and daily.date = stored.date
  )

-- name: insert_idle_days
-- From the first day on which a (user, topic) was seen.
insert into features_topic_daily as stored (
    user_id, topic_id, date, attempts, correct, theta_estimate, theta_sd, last_seen_at, computed_at
)
select
    seen.user_id, seen.topic_id, day::date, 0, 0, found.theta, found.se,
    (
        select max(earlier.last_seen_at) from features_topic_daily as earlier
        where earlier.user_id = seen.user_id and earlier.topic_id = seen.topic_id and earlier.date < day::date
    ),
    cast(%(now)s as timestamptz)
from (
    select user_id, topic_id, min(date) as first_day
    from features_topic_daily
    where attempts > 0 and date <= cast(%(last_day)s as date)
    group by user_id, topic_id
) as seen
join learner using (user_id)
join topic using (topic_id)
cross join lateral generate_series(
    greatest(seen.first_day, cast(%(first_day)s as date)), cast(%(last_day)s as date), interval '1 day'
) as day
left join lateral (
    select * from theta_on(learner.learner_no, topic.topic_no, day::date) where cast(%(with_theta)s as boolean)
) as found on true
where cast(%(learners)s as integer[]) is null or learner.learner_no = any(cast(%(learners)s as integer[]))
on conflict (user_id, topic_id, date) do update set
    theta_estimate = coalesce(excluded.theta_estimate, stored.theta_estimate),
    theta_sd = case when excluded.theta_estimate is null then stored.theta_sd else excluded.theta_sd end,
    computed_at = excluded.computed_at
where stored.attempts = 0
