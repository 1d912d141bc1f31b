-- name: newest_general
-- What is stored for the day by a snapshot or an update with these items (the abilities of a calibration itself have
-- another window, and estimates are retracted together with their items).
select learner.learner_no, newest.theta, newest.se, newest.n_answers, coalesce(newest.topic_checksum, 0)
from learner
cross join lateral (
    select ability.*
    from ability
    where ability.learner_no = learner.learner_no
      and ability.as_of <= cast(%(as_of)s as date)
      and (select run.state from run where run.run_id = ability.run_id) = 'published'
    order by ability.as_of desc, ability.fitted_at desc, ability.version desc
    limit 1
) as newest
where learner.learner_no = any(cast(%(learners)s as integer[]))
  and (select run.summary ->> 'items_run' from run where run.run_id = newest.run_id) = cast(%(items_run)s as text)
order by learner.learner_no

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
