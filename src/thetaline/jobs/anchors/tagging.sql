-- name: published_items
with recent as (
    select run_id from run
    where job = 'mirt_calibrate' and state = 'published'
    order by as_of desc, started_at desc
    limit cast(%(runs)s as integer)
), moves as (
    select item_no, max((own ->> 'b')::float8) - min((own ->> 'b')::float8) as move
    from item_param join recent using (run_id)
    cross join lateral (select coalesce(free, params)) as estimated (own)
    group by item_no
    having count(*) > 1
), answered as (
    select item_no, count(*) as n from answer where correct is not null group by item_no
), backwards as materialized (
    select run_id, flagged ->> 'item_id' as item_id
    from calibration
    cross join lateral jsonb_array_elements(calibration.metrics -> 'flagged_items') as flagged
    where flagged -> 'findings' ? cast(%(reversed)s as text)
      and run_id in (select run_id from mirt_item_params)
)
select
    item.item_id,
    (current.params ->> 'a')::float8 as a,
    (coalesce(stored.free, current.params) ->> 'b')::float8 as b,
    coalesce((coalesce(stored.free, current.params) -> 'se' ->> 'b')::float8, 'NaN') as se_b,
    coalesce(answered.n, 0) as n_answers,
    coalesce(moves.move, 'NaN') as move,
    coalesce(question.meta -> 'tags' @> '["anchor"]', false) as anchored,
    question.id is not null as has_question,
    question.meta -> 'anchor_retired' is not null as retired,
    not exists (select from item_param join recent using (run_id) where item_param.item_no = stored.item_no) as unseen,
    backwards.item_id is not null as reversed
from mirt_item_params as current
join item using (item_id)
join item_param as stored using (item_no, run_id)
left join answered using (item_no)
left join moves using (item_no)
left join backwards on backwards.item_id = item.item_id and backwards.run_id = current.run_id
left join question on question.id = case when item.item_id ~ '^[0-9]{1,18}$' then item.item_id::bigint end
order by item.item_id

-- name: freeze
update question
set meta = question.meta || jsonb_build_object(
        'irt', jsonb_build_object('model', current.model, 'version', current.version, 'run_id', current.run_id)
               || (current.params - 'se'),
        'tags', case when question.meta -> 'tags' @> '["anchor"]' then question.meta -> 'tags'
                     else coalesce(question.meta -> 'tags', '[]') || '["anchor"]' end
    ),
    updated_at = cast(%(now)s as timestamptz)
from mirt_item_params as current
where current.item_id = cast(question.id as text)
  and current.item_id = any(cast(%(item_ids)s as text[]))
  and (not coalesce(question.meta -> 'tags' @> '["anchor"]', false) or question.meta -> 'irt' is null)

-- name: references_of
select cast(id as text), meta -> 'irt' from question
where cast(id as text) = any(cast(%(item_ids)s as text[])) and meta -> 'irt' is not null
order by question.id
