-- name: runs
select run.run_id, run.job, run.as_of, run.state, run.started_at, run.finished_at, run.reason, run.error,
       calibration.model_spec, calibration.metrics
from run
left join calibration using (run_id)
where cast(%(job)s as text) is null or run.job = cast(%(job)s as text)
order by run.started_at desc, run.run_id desc
limit cast(%(most)s as integer)

-- name: run
select run.run_id, run.job, run.as_of, run.state, run.started_at, run.finished_at, run.reason, run.error,
       calibration.model_spec, calibration.metrics
from run
left join calibration using (run_id)
where run.run_id = cast(%(run_id)s as text)

-- name: checks
select check_name, passed, value, limit_text, message
from gate_result
where run_id = cast(%(run_id)s as text)
