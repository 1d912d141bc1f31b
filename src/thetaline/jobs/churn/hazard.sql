-- name: insert_meta
insert into survival_fit_meta
    (run_id, formula, coefficients, hazard_ratios, concordance, fitted_at, in_force, metrics, status, reason, intended_use)
values (cast(%(run_id)s as text), cast(%(formula)s as text), cast(%(coefficients)s as jsonb),
        cast(%(hazard_ratios)s as jsonb), cast(%(concordance)s as float8), cast(%(fitted_at)s as timestamptz),
        cast(%(in_force)s as text), cast(%(metrics)s as jsonb), cast(%(status)s as text), cast(%(reason)s as text),
        cast(%(intended_use)s as text))
