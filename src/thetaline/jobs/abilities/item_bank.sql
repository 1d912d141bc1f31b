-- name: items_on
-- Current on the day, or, before the first publication, on the day of that; never from a later calibration.
with reach as (
    select greatest(cast(%(as_of)s as date), min(run.as_of)) as day
    from run where job = 'mirt_calibrate' and state = 'published'
)
select item.item_no, chosen.model, chosen.params, chosen.run_id, chosen.as_of, chosen.fitted_at
from item
cross join reach
cross join lateral (
    select item_param.*
    from item_param join run using (run_id)
    where item_param.item_no = item.item_no and item_param.as_of <= reach.day and run.state = 'published'
    order by item_param.as_of desc, item_param.fitted_at desc
    limit 1
) as chosen
order by item.item_no

-- name: population
-- From the metrics of the calibration; where its engine gave no population, from the abilities: mean of θ, and
-- √(var θ_EAP + mean se²).
select coalesce((metrics -> 'population' ->> 'mean')::float8, of_abilities.mean),
       coalesce((metrics -> 'population' ->> 'sd')::float8, of_abilities.sd)
from calibration
cross join lateral (
    select avg(theta) as mean, sqrt(var_pop(theta) + avg(se * se)) as sd
    from ability where ability.run_id = calibration.run_id and metrics -> 'population' ->> 'sd' is null
) as of_abilities
where calibration.run_id = cast(%(run_id)s as text)
