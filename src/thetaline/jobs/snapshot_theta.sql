-- name: newest_general
-- What the last snapshot or update up to the day said; a calibration's own abilities have another window.
select learner.learner_no, newest.theta, newest.se, newest.n_answers
from learner
cross join lateral (
    select ability.theta, ability.se, ability.n_answers
    from ability join run using (run_id)
    where ability.learner_no = learner.learner_no
      and ability.as_of <= cast(%(as_of)s as date)
      and run.state = 'published'
      and run.job in ('snapshot_theta', 'update_theta')
    order by ability.as_of desc, ability.fitted_at desc, ability.version desc
    limit 1
) as newest
where learner.learner_no = any(cast(%(learners)s as integer[]))
order by learner.learner_no

-- name: topic_sd_of
-- The spread of topics belongs to the item parameters: estimated once for each calibration.
select cast(summary ->> 'topic_sd' as float8)
from run
where job = 'snapshot_theta' and state = 'published' and summary ->> 'items_run' = cast(%(items_run)s as text)
order by started_at
limit 1

-- name: theta_of_day
-- What was known on a day: the newest published estimate up to it.
select newest.theta, newest.se, newest.as_of, newest.run_id
from learner
cross join lateral (
    select ability.* from ability join run using (run_id)
    where ability.learner_no = learner.learner_no
      and ability.as_of <= cast(%(as_of)s as date)
      and run.state = 'published'
    order by ability.as_of desc, ability.fitted_at desc, ability.version desc
    limit 1
) as newest
where learner.user_id = cast(%(user_id)s as text)
