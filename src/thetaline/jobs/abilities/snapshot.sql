-- name: newest_general
-- What is stored for the day by a snapshot or an update with these items (the abilities of a calibration itself have
-- another window, and estimates are retracted together with their items).
select learner_no, newest.theta, newest.se, newest.n_answers, coalesce(newest.topic_checksum, 0)
from unnest(cast(%(learners)s as integer[])) as learner_no
cross join lateral ability_on(learner_no, cast(%(as_of)s as date)) as newest
where (select run.summary ->> 'items_run' from run where run.run_id = newest.run_id) = cast(%(items_run)s as text)
order by learner_no

-- name: lock_items
-- Until the transaction ends nobody can retract the items; who does so later retracts the estimates with them.
select state = 'published' from run where run_id = cast(%(items_run)s as text) for key share

-- name: topic_sd_of
-- The spread of topics belongs to the item parameters: estimated once for each calibration.
select cast(summary ->> 'topic_sd' as float8)
from run
where job = 'snapshot_theta' and state = 'published' and summary ->> 'items_run' = cast(%(items_run)s as text)
order by started_at
limit 1

-- name: newest_topic_sd
select cast(summary ->> 'topic_sd' as float8)
from run
where job = 'snapshot_theta' and state = 'published' and summary ? 'topic_sd'
order by as_of desc, started_at desc
limit 1
