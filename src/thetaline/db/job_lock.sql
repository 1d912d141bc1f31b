-- name: try_lock
select pg_try_advisory_lock(hashtext('thetaline'), hashtext(cast(%(job)s as text)))

-- name: unlock
select pg_advisory_unlock(hashtext('thetaline'), hashtext(cast(%(job)s as text)))

-- name: holder
select activity.application_name as session, activity.backend_start as connected_at,
       run.run_id, run.host, run.pid, run.started_at
from pg_locks as held
join pg_stat_activity as activity on activity.pid = held.pid
left join run on run.state = 'running'
    and run.job = cast(%(job)s as text)
    and activity.application_name = left('thetaline ' || run.job || ' ' || run.host || ':' || run.pid, 63)
where held.locktype = 'advisory'
  and held.granted
  and held.database = (select oid from pg_database where datname = current_database())
  and held.classid = cast(cast(hashtext('thetaline') as bigint) & 4294967295 as oid)
  and held.objid = cast(cast(hashtext(cast(%(job)s as text)) as bigint) & 4294967295 as oid)
  and held.pid <> pg_backend_pid()
order by run.started_at desc nulls last
limit 1
