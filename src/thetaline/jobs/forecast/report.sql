-- name: newest_run
-- Of the metric: another may have no forecast in the newest run. Without a metric the newest that has any.
select run_id, as_of
from forecast_run
where (cast(%(metric)s as text) is null or metric = cast(%(metric)s as text)) and as_of <= cast(%(as_of)s as date)
order by as_of desc, fitted_at desc
limit 1

-- name: newest_reason
select meta.metric || ' ' || meta.reason
from prophet_fit_meta as meta
join run using (run_id)
where meta.status = 'not fitted' and run.as_of <= cast(%(as_of)s as date)
  and (cast(%(metric)s as text) is null or meta.metric = cast(%(metric)s as text))
order by run.as_of desc, meta.fitted_at desc, meta.metric
limit 1

-- name: rows
-- A row a week ahead; one without values of a series that is too short. Of everybody and of classrooms first.
select learner.user_id, series.classroom_id, run.as_of + 1 + 7 * (stored.horizon - 1), stored.mean, stored.sd,
       stored.low_95, stored.low_80, stored.high_80, stored.high_95, series.weeks_known, series.changed_on, series.reason
from forecast_series as series
join run using (run_id)
left join forecast_value as stored using (run_id, series_no)
left join learner using (learner_no)
where series.run_id = cast(%(run_id)s as text) and series.metric = cast(%(metric)s as text)
  and (cast(%(users)s as text[]) is null or learner.user_id = any(cast(%(users)s as text[])))
order by learner.user_id nulls first, series.classroom_id nulls first, stored.horizon
limit cast(%(most)s as integer)

-- name: anomalies
select learner.user_id, series.classroom_id, run.as_of - 6, series.metric, stored.value, stored.expected,
       stored.anomaly_score, stored.p_value
from forecast_anomaly as stored
join forecast_series as series using (run_id, series_no)
join run using (run_id)
left join learner using (learner_no)
where stored.run_id = cast(%(run_id)s as text)
  and (cast(%(metric)s as text) is null or series.metric = cast(%(metric)s as text))
  and (cast(%(users)s as text[]) is null or learner.user_id = any(cast(%(users)s as text[])))
order by stored.p_value, learner.user_id nulls first, series.classroom_id nulls first
limit cast(%(most)s as integer)
