-- name: newest_calibration
-- Held ones too: a run is often held because its anchors drifted.
select run.run_id, run.as_of
from run join calibration using (run_id)
where run.job = 'mirt_calibrate' and run.state in ('published', 'held') and run.as_of <= cast(%(as_of)s as date)
order by run.as_of desc, calibration.fitted_at desc
limit 1

-- name: recent_items
-- Anchors are held fixed: what their answers say is beside it, in `free`.
select item.item_no, item.item_id, item_param.model, coalesce(item_param.free, item_param.params),
       case when item_param.free is null then item_param.cov_ab else (item_param.free ->> 'cov_ab')::float8 end
from item_param join item using (item_no)
where item_param.run_id = cast(%(run_id)s as text)
order by item.item_no

-- name: first_published_items
-- The first published parameters of each item, from a window that ended before the recent one began.
select distinct on (item.item_no) item.item_no, item_param.model, item_param.params, item_param.cov_ab, item_param.run_id
from item_param
join item using (item_no)
join run using (run_id)
where run.state = 'published' and item_param.as_of <= cast(%(before)s as date)
order by item.item_no, item_param.as_of, item_param.fitted_at

-- name: frozen_anchors
-- The reference that was frozen with the tag, and the errors of the run that it was frozen from.
select item.item_no, coalesce(question.meta -> 'irt' ->> 'model', frozen.model), question.meta -> 'irt', frozen.params -> 'se',
       frozen.cov_ab, question.meta -> 'irt' ->> 'run_id', frozen.as_of
from question
join item on item.item_id = cast(question.id as text)
left join item_param as frozen
    on frozen.item_no = item.item_no and frozen.run_id = question.meta -> 'irt' ->> 'run_id'
where question.meta -> 'tags' @> cast('["anchor"]' as jsonb)
  and jsonb_typeof(question.meta -> 'irt' -> 'a') = 'number'
  and jsonb_typeof(question.meta -> 'irt' -> 'b') = 'number'
order by item.item_no

-- name: insert_alert
insert into drift_alert (run_id, item_no, is_anchor, severity, statistics, proposal, created_at)
values (cast(%(run_id)s as text), cast(%(item_no)s as integer), cast(%(is_anchor)s as boolean),
        cast(%(severity)s as text), cast(%(statistics)s as jsonb), cast(%(proposal)s as text),
        cast(%(now)s as timestamptz))

-- name: close_older_alerts
-- An item has at most one open alert. A run that tested the item closes alerts of its own and earlier days only.
update drift_alert
set resolved_at = cast(%(now)s as timestamptz),
    resolved_by = 'job',
    resolution = case
        when item_no = any(cast(%(drifted)s as integer[])) then 'replaced by '
        when item_no = any(cast(%(accepted)s as integer[])) then 'no graver than accepted in '
        else 'drifts no more in ' end || cast(%(run_id)s as text)
from run
where run.run_id = drift_alert.run_id
  and drift_alert.resolved_at is null
  and run.as_of <= cast(%(as_of)s as date)
  and item_no = any(cast(%(tested)s as integer[]))

-- name: record_tested
insert into newest_drift_test (item_no, run_id, as_of)
select item_no, cast(%(run_id)s as text), cast(%(as_of)s as date) from unnest(cast(%(tested)s as integer[])) as item_no
on conflict (item_no) do update set run_id = excluded.run_id, as_of = excluded.as_of
where newest_drift_test.as_of <= excluded.as_of

-- name: tested_later
select item_no from newest_drift_test where as_of > cast(%(as_of)s as date)

-- name: decisions
-- The alerts that persons have resolved, whatever the resolution.
select distinct item_no, statistics ->> 'reference', severity from drift_alert where resolved_by = 'person'

-- name: newest_check
select as_of, coalesce((summary ->> 'n_tested')::integer, 0), summary -> 'watched' -> 'power'
from run
where job = 'irt_drift' and state = 'done'
order by started_at desc
limit 1

-- name: stored_items
select count(*) from item

-- name: open_alerts
select drift_alert.run_id, item.item_id, drift_alert.is_anchor, drift_alert.severity, drift_alert.statistics,
       drift_alert.proposal, drift_alert.created_at, drift_alert.resolved_at, drift_alert.resolved_by,
       drift_alert.resolution, question.meta ->> 'external_id' as external_id
from drift_alert
join item using (item_no)
left join question on question.id = case when item.item_id ~ '^[0-9]{1,18}$' then item.item_id::bigint end
where cast(%(all)s as boolean) or drift_alert.resolved_at is null
order by drift_alert.created_at desc, array_position(array['critical', 'warning', 'info'], drift_alert.severity),
         abs((drift_alert.statistics ->> 'effect')::float8) desc

-- name: alerted_item
-- Of the items with an open alert those that have this id or were imported under this code.
select item_id from item_code join item using (item_id) join drift_alert using (item_no)
where drift_alert.resolved_at is null and cast(%(item)s as text) in (item_id, code)
order by item_id

-- name: resolve_alert
update drift_alert
set resolved_at = cast(%(now)s as timestamptz), resolved_by = 'person', resolution = cast(%(reason)s as text)
from item
where item.item_no = drift_alert.item_no and item.item_id = cast(%(item_id)s as text) and drift_alert.resolved_at is null

-- name: retire_anchor
-- `anchor_retired` keeps the item out of the automatic choice of anchors.
update question
set meta = jsonb_set(meta, '{tags}', (meta -> 'tags') - 'anchor') || jsonb_build_object(
        'anchor_retired', jsonb_build_object(
            'at', cast(%(now)s as timestamptz), 'reason', cast(%(reason)s as text), 'reference', meta -> 'irt')),
    updated_at = cast(%(now)s as timestamptz)
where cast(id as text) = cast(%(item_id)s as text) and meta -> 'tags' @> cast('["anchor"]' as jsonb)
