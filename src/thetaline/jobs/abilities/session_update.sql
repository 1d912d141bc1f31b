-- name: lock_learners
-- So that two updates of one learner run one after the other; in one order, so that two batches do not deadlock.
select user_id, learner_no from learner where user_id = any(cast(%(user_ids)s as text[]))
order by learner_no for no key update

-- name: append_updates
-- One statement, because a learner waits for it: the run of the day, then its estimates.
with day_run as (
    insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid, summary)
    values (cast(%(run_id)s as text), 'update_theta', cast(%(as_of)s as date), 'published',
            cast(%(now)s as timestamptz), cast(%(now)s as timestamptz), cast(%(host)s as text), cast(%(pid)s as integer),
            jsonb_build_object('items_run', cast(%(items_run)s as text)))
    on conflict (run_id) do nothing
), general as (
    select given.*, (
        select coalesce(max(ability.version), 0) + 1 from ability
        where ability.run_id = cast(%(run_id)s as text) and ability.learner_no = given.learner_no
    ) as version, (
        -- An update that waited for the lock has read more answers, though its clock was read before: it must come last.
        select greatest(cast(%(now)s as timestamptz), max(ability.fitted_at) + interval '1 microsecond') from ability
        where ability.learner_no = given.learner_no and ability.as_of = cast(%(as_of)s as date)
    ) as fitted_at
    from unnest(
        cast(%(learners)s as integer[]), cast(%(thetas)s as float8[]), cast(%(ses)s as float8[]),
        cast(%(counts)s as integer[]), cast(%(checksums)s as float8[])
    ) as given (learner_no, theta, se, n_answers, topic_checksum)
), of_all as (
    insert into ability (run_id, learner_no, as_of, fitted_at, version, model, theta, se, n_answers, topic_checksum)
    select cast(%(run_id)s as text), learner_no, cast(%(as_of)s as date), fitted_at, version,
           cast(%(model)s as text), theta, se, n_answers, topic_checksum
    from general
)
insert into topic_ability (run_id, learner_no, as_of, fitted_at, version, model, topic_no, theta, se, n_answers)
select cast(%(run_id)s as text), topic.learner_no, cast(%(as_of)s as date), general.fitted_at,
       general.version, cast(%(model)s as text), topic.topic_no, topic.theta, topic.se, topic.n_answers
from unnest(
    cast(%(topic_learners)s as integer[]), cast(%(topics)s as integer[]), cast(%(topic_thetas)s as float8[]),
    cast(%(topic_ses)s as float8[]), cast(%(topic_counts)s as integer[])
) as topic (learner_no, topic_no, theta, se, n_answers)
join general using (learner_no)

-- name: bank_fingerprint
-- Of the set of published runs, because the bank of a day may come from many: their number, and a sum over their ids.
select job, count(*), sum(hashtext(run_id)::bigint)::bigint
from run
where job in ('mirt_calibrate', 'snapshot_theta') and state = 'published'
group by job
order by job
