-- name: merge_kpis
-- Our own keys of the week are replaced as a whole (one that cannot be computed any more goes), another writer's stay.
insert into weekly_kpi as stored (user_id, week_start, kpis, created_at, updated_at)
select learner.user_id, cast(%(week_start)s as date), fresh.kpis, cast(%(now)s as timestamptz), cast(%(now)s as timestamptz)
from fresh_kpi as fresh
join learner using (learner_no)
on conflict (user_id, week_start) do update
set kpis = (stored.kpis - cast(%(own_keys)s as text[])) || excluded.kpis, updated_at = excluded.updated_at

-- name: make_stage
create temporary table fresh_kpi (learner_no integer, kpis jsonb) on commit drop

-- name: drop_stage
drop table fresh_kpi
