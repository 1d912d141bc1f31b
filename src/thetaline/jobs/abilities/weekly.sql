-- name: same_run
-- A published run of the same last week from the same items and answers.
select run_id
from run
where job = 'weekly_theta' and state = 'published' and as_of = cast(%(as_of)s as date)
  and summary ->> 'fingerprint' = cast(%(fingerprint)s as text)
order by started_at desc
limit 1
