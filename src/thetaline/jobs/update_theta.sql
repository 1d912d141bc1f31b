-- name: lock_learner
-- Two updates of one learner wait for each other.
select learner_no from learner where user_id = cast(%(user_id)s as text) for no key update

-- name: append_update
-- One statement, because an update is made while a learner waits: the run of the day, then the estimates under it.
with day_run as (
    insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid, summary)
    values (cast(%(run_id)s as text), 'update_theta', cast(%(as_of)s as date), 'published',
            cast(%(now)s as timestamptz), cast(%(now)s as timestamptz), cast(%(host)s as text), cast(%(pid)s as integer),
            jsonb_build_object('items_run', cast(%(items_run)s as text)))
    on conflict (run_id) do nothing
), next as (
    select coalesce(max(version), 0) + 1 as version
    from ability
    where run_id = cast(%(run_id)s as text) and learner_no = cast(%(learner)s as integer)
), of_all as (
    insert into ability (run_id, learner_no, as_of, fitted_at, version, model, theta, se, n_answers)
    select cast(%(run_id)s as text), cast(%(learner)s as integer), cast(%(as_of)s as date),
           cast(%(now)s as timestamptz), version, cast(%(model)s as text), cast(%(theta)s as float8),
           cast(%(se)s as float8), cast(%(n_answers)s as integer)
    from next
)
insert into topic_ability (run_id, learner_no, as_of, fitted_at, version, model, topic_no, theta, se, n_answers)
select cast(%(run_id)s as text), cast(%(learner)s as integer), cast(%(as_of)s as date), cast(%(now)s as timestamptz),
       next.version, cast(%(model)s as text), topic.topic_no, topic.theta, topic.se, topic.n_answers
from next
cross join unnest(
    cast(%(topics)s as integer[]), cast(%(thetas)s as float8[]), cast(%(ses)s as float8[]), cast(%(counts)s as integer[])
) as topic (topic_no, theta, se, n_answers)
