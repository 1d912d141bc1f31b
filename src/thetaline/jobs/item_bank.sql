-- name: items_on
-- Current on the day: the newest up to it, else the first one after it.
select item.item_no, chosen.model, chosen.params, chosen.run_id, chosen.as_of
from item
cross join lateral (
    select item_param.*
    from item_param join run using (run_id)
    where item_param.item_no = item.item_no and run.state = 'published'
    order by item_param.as_of > cast(%(as_of)s as date),
             abs(item_param.as_of - cast(%(as_of)s as date)),
             item_param.fitted_at desc
    limit 1
) as chosen
order by item.item_no

-- name: population
select avg(theta), sqrt(var_pop(theta) + avg(se * se)) from ability where run_id = cast(%(run_id)s as text)
