-- name: insert_glmm_meta
insert into growth_glmm_meta
    (run_id, formula, fixed_effects, random_effects_summary, fit_metrics, fitted_at, status, reason)
values (cast(%(run_id)s as text), cast(%(formula)s as text), cast(%(fixed_effects)s as jsonb),
        cast(%(random_effects_summary)s as jsonb), cast(%(fit_metrics)s as jsonb), cast(%(fitted_at)s as timestamptz),
        cast(%(status)s as text), cast(%(reason)s as text))

-- name: insert_brms_meta
insert into growth_brms_meta (run_id, formula, priors, posterior_summary, diagnostics, fitted_at, status, reason)
values (cast(%(run_id)s as text), cast(%(formula)s as text), cast(%(priors)s as jsonb),
        cast(%(posterior_summary)s as jsonb), cast(%(diagnostics)s as jsonb), cast(%(fitted_at)s as timestamptz),
        cast(%(status)s as text), cast(%(reason)s as text))

-- name: create_growth_kpis
create temporary table fresh_growth_kpi (learner_no integer, kpis jsonb) on commit drop

-- name: merge_growth_kpis
insert into weekly_kpi as stored (user_id, week_start, kpis, created_at, updated_at)
select learner.user_id, cast(%(week_start)s as date), fresh.kpis, cast(%(now)s as timestamptz), cast(%(now)s as timestamptz)
from fresh_growth_kpi as fresh
join learner using (learner_no)
order by learner.user_id
on conflict (user_id, week_start) do update
set kpis = (stored.kpis - kpi_keys_of(cast(%(job)s as text))) || excluded.kpis, updated_at = excluded.updated_at

-- name: remove_growth_kpis
-- Of learners whom an earlier run of the week had, and this one has not.
update weekly_kpi as stored
set kpis = stored.kpis - kpi_keys_of(cast(%(job)s as text)), updated_at = cast(%(now)s as timestamptz)
where stored.week_start = cast(%(week_start)s as date)
  and stored.kpis ?| kpi_keys_of(cast(%(job)s as text))
  and not exists (
      select from fresh_growth_kpi as fresh join learner using (learner_no) where learner.user_id = stored.user_id
  )

-- name: drop_growth_kpis
drop table fresh_growth_kpi
