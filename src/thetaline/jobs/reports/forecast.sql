-- name: forecasts
-- Of the week's own forecast run; a series that is too short has no values.
select series.learner_no, of_week.as_of + 1 + 7 * (stored.horizon - 1), stored.mean, stored.low_80, stored.high_80,
       stored.low_95, stored.high_95
from forecast_run as of_week
join forecast_series as series on series.run_id = of_week.run_id and series.metric = of_week.metric
join forecast_value as stored on stored.run_id = series.run_id and stored.series_no = series.series_no
where of_week.metric = 'theta' and of_week.as_of = cast(%(as_of)s as date)
  and series.learner_no = any(cast(%(learners)s as integer[]))
order by series.learner_no, stored.horizon

-- name: forecast_run
select run_id from forecast_run where metric = 'theta' and as_of = cast(%(as_of)s as date)
