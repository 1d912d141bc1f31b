-- name: same_run
-- The newest fit of the week that is not taken back, if it is from the same data: an older one is not what is current.
select run_id, summary
from (
    select run_id, summary
    from run
    where job = cast(%(job)s as text) and as_of = cast(%(as_of)s as date) and state in ('published', 'done')
      and summary ->> 'fingerprint' is not null
    order by started_at desc
    limit 1
) as newest
where summary ->> 'fingerprint' = cast(%(fingerprint)s as text)
