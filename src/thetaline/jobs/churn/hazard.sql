-- name: classrooms
-- Of each learner the class of the newest session that has one.
select distinct on (learner.learner_no) learner.learner_no, session.classroom_id
from session
join learner using (user_id)
where session.classroom_id is not null and session.started_at < cast(%(stop)s as timestamptz)
order by learner.learner_no, session.started_at desc

-- name: insert_meta
insert into survival_fit_meta
    (run_id, formula, coefficients, hazard_ratios, concordance, fitted_at, in_force, metrics, status, reason, intended_use)
values (cast(%(run_id)s as text), cast(%(formula)s as text), cast(%(coefficients)s as jsonb),
        cast(%(hazard_ratios)s as jsonb), cast(%(concordance)s as float8), cast(%(fitted_at)s as timestamptz),
        cast(%(in_force)s as text), cast(%(metrics)s as jsonb), cast(%(status)s as text), cast(%(reason)s as text),
        cast(%(intended_use)s as text))
