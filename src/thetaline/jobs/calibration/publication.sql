-- name: current_parameters
select item_id, coalesce((params ->> 'a')::float8, 1), (params ->> 'b')::float8, run_id, fitted_at
from mirt_item_params
order by item_id

-- name: current_estimates
-- What the answers of the published runs said of each item under one model: of an anchor, which was held, `free`.
select
    current.item_id,
    coalesce((own ->> 'a')::float8, 1),
    (own ->> 'b')::float8,
    coalesce((own -> 'se' ->> 'a')::float8, 'NaN'),
    coalesce((own -> 'se' ->> 'b')::float8, 'NaN'),
    coalesce((own ->> 'cov_ab')::float8, stored.cov_ab, 'NaN')
from mirt_item_params as current
join item using (item_id)
join item_param as stored using (item_no, run_id)
cross join lateral (select coalesce(stored.free, stored.params)) as estimated (own)
where current.model = cast(%(model)s as text)
order by current.item_id

-- name: current_abilities
select user_id, theta, se from mirt_ability order by user_id

-- name: published_on
select run_id from run
where job = cast(%(job)s as text) and as_of = cast(%(as_of)s as date) and state = 'published'
  and started_at >= cast(%(over_at)s as timestamptz)
order by started_at desc
limit 1

-- name: current_run
select run.run_id from run join calibration using (run_id)
where run.job = cast(%(job)s as text) and run.state = 'published'
order by run.as_of desc, calibration.fitted_at desc
limit 1

-- name: insert_calibration
insert into calibration (run_id, model_spec, metrics, fitted_at)
values (cast(%(run_id)s as text), cast(%(model_spec)s as jsonb), cast(%(metrics)s as jsonb),
        cast(%(fitted_at)s as timestamptz))

-- name: last_versions
select item_no, max(version) from item_param where item_no = any(cast(%(items)s as integer[])) group by item_no

-- name: lock_run
select state, job from run where run_id = cast(%(run_id)s as text) for update

-- name: move_run
update run
set state = cast(%(state)s as text),
    reason = concat_ws(E'\n', reason, cast(%(note)s as text))
where run_id = cast(%(run_id)s as text)

-- name: move_estimates
-- A θ estimated on retracted items would stay current for a learner who does not answer again. Weekly fits that were
-- retracted stay so: the next night makes them anew, with their KPIs.
update run
set state = cast(%(state)s as text),
    reason = concat_ws(E'\n', reason, 'with ' || cast(%(run_id)s as text) || ': ' || cast(%(note)s as text))
where job in ('snapshot_theta', 'update_theta', 'weekly_theta', 'fit_growth_glmm', 'fit_bayesian_growth',
              'cluster_segments', 'forecast_prophet')
  and state in ('published', 'retracted')
  and (cast(%(state)s as text) = 'retracted' or job in ('snapshot_theta', 'update_theta', 'weekly_theta'))
  and summary ->> 'items_run' = cast(%(run_id)s as text)

-- name: retracted_fits
-- The weeks whose KPIs are of no published fit any more, by job.
select gone.job, array_agg(distinct cast(date_trunc('week', gone.as_of) as date))
from run as gone
where gone.job in ('fit_growth_glmm', 'fit_bayesian_growth') and gone.state = 'retracted'
  and gone.summary ->> 'items_run' = cast(%(run_id)s as text)
  and not exists (
      select from run as other
      where other.job = gone.job and other.state = 'published'
        and date_trunc('week', other.as_of) = date_trunc('week', gone.as_of))
group by gone.job

-- name: declare_writer
select set_config('thetaline.kpi_writer', cast(%(job)s as text), true)

-- name: forget_kpis
update weekly_kpi
set kpis = kpis - kpi_keys_of(cast(%(job)s as text)), updated_at = cast(%(now)s as timestamptz)
where week_start = any(cast(%(weeks)s as date[])) and kpis ?| kpi_keys_of(cast(%(job)s as text))
