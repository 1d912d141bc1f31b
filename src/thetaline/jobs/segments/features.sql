-- name: abilities
select learner.learner_no, learner.user_id, newest.theta
from unnest(cast(%(learners)s as integer[])) as wanted
join learner on learner.learner_no = wanted
left join lateral ability_on(learner.learner_no, cast(%(as_of)s as date)) as newest on true
order by learner.learner_no

-- name: slopes
select learner_no, slope
from growth_line
where run_id = newest_growth('fit_growth_glmm', cast(%(as_of)s as date))

-- name: items_run
-- The calibration that the newest θ of a day are of.
select summary ->> 'items_run'
from run
where job = 'snapshot_theta' and state = 'published' and as_of <= cast(%(as_of)s as date)
order by as_of desc, started_at desc
limit 1
