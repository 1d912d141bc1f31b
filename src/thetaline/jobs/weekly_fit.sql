-- name: same_run
-- A run of the job for the same week from the same data, that is not taken back.
select run_id, summary
from run
where job = cast(%(job)s as text) and as_of = cast(%(as_of)s as date) and state in ('published', 'done')
  and summary ->> 'fingerprint' = cast(%(fingerprint)s as text)
order by started_at desc
limit 1
