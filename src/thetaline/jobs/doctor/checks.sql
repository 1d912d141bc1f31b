-- name: server
select current_setting('server_version') as version, pg_database_size(current_database()) as n_bytes

-- name: running
select run_id, job, host, pid, started_at from run where state = 'running' order by started_at

-- name: counts
select (select count(*) from answer) as answers,
       (select count(*) from learner) as learners,
       (select count(*) from question) as questions,
       (select count(*) from question where meta -> 'tags' @> '["anchor"]') as anchors,
       (select max(answered_at) from answer) as last_answer

-- name: last_runs
select distinct on (job) job, run_id, state, as_of, error
from run where state <> 'running'
order by job, started_at desc
