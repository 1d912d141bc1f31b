-- name: merge_kpis
-- The keys of this job are replaced as a whole, so that one that cannot be computed any more is removed; keys of other
-- writers stay. An earlier day never replaces a later day of the same week.
insert into weekly_kpi as stored (user_id, week_start, kpis, created_at, updated_at)
select learner.user_id, cast(%(week_start)s as date), fresh.kpis, cast(%(now)s as timestamptz), cast(%(now)s as timestamptz)
from fresh_kpi as fresh
join learner using (learner_no)
where fresh.kpis is not null
order by learner.user_id
on conflict (user_id, week_start) do update
set kpis = (stored.kpis - kpi_keys_of('compute_daily_kpis')) || excluded.kpis, updated_at = excluded.updated_at
where coalesce(stored.kpis ->> 'as_of', '') <= excluded.kpis ->> 'as_of'

-- name: remove_vanished
-- Of a learner whose answers are gone (a deleted exam), the same day's KPIs go too; the staging table has all learners
-- with an answer in the history, due or not.
update weekly_kpi as stored
set kpis = stored.kpis - kpi_keys_of('compute_daily_kpis'), updated_at = cast(%(now)s as timestamptz)
where stored.week_start = cast(%(week_start)s as date)
  and stored.kpis ->> 'as_of' = cast(%(as_of)s as text)
  and not exists (
      select from fresh_kpi as fresh join learner using (learner_no) where learner.user_id = stored.user_id
  )

-- name: create_staging_table
create temporary table fresh_kpi (learner_no integer, kpis jsonb) on commit drop

-- name: drop_staging_table
drop table fresh_kpi
