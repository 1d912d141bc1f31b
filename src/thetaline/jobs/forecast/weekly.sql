-- name: insert_meta
insert into prophet_fit_meta
    (run_id, metric, changepoints, forecast, metrics, fitted_at, status, reason, intended_use)
values (cast(%(run_id)s as text), cast(%(metric)s as text), cast(%(changepoints)s as jsonb), cast(%(forecast)s as jsonb),
        cast(%(metrics)s as jsonb), cast(%(fitted_at)s as timestamptz), cast(%(status)s as text),
        cast(%(reason)s as text), cast(%(intended_use)s as text))
