-- Items by the code that they were imported under: `code` is the question's external id, else the item's own id.

create view item_code as
select item.item_id, coalesce(question.meta ->> 'external_id', item.item_id) as code
from item
left join question on question.id = case when item.item_id ~ '^[0-9]{1,18}$' then item.item_id::bigint end;

-- The contract's columns, then ours. A query that does not select the code does not pay for the join.
create or replace view mirt_item_params as
select item.item_id, newest.model, newest.params, newest.version, newest.run_id, newest.fitted_at,
       coalesce(question.meta ->> 'external_id', item.item_id) as code
from item
cross join lateral (
    select item_param.* from item_param join run using (run_id)
    where item_param.item_no = item.item_no and run.state = 'published'
    order by item_param.as_of desc, item_param.fitted_at desc
    limit 1
) as newest
left join question on question.id = case when item.item_id ~ '^[0-9]{1,18}$' then item.item_id::bigint end;

create or replace view bank_item as
select params.item_id, params.model, params.params, params.version, params.run_id, params.fitted_at, question.topic_id,
       coalesce(
           jsonb_path_query_array(
               question.meta,
               'strict $.tags ? (@.type() == "array")[*] ? (@.type() == "string" || @.type() == "number")',
               silent => true
           ),
           '[]'
       ) as tags,
       params.code
from mirt_item_params as params
left join question on question.id = case when params.item_id ~ '^[0-9]{1,18}$' then params.item_id::bigint end;
