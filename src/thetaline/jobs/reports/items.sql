-- name: items
-- What people call an item, its text and topic; out of use: by a tag, as an anchor that was retired, or under an alert
-- that was open when the week was over.
select item.item_no, coalesce(question.meta ->> 'external_id', item.item_id), question.content, question.topic_id,
       coalesce(question.meta -> 'tags' @> '["retired"]' or question.meta ? 'anchor_retired', false)
       or exists (
           select from drift_alert join run using (run_id)
           where drift_alert.item_no = item.item_no and run.as_of <= cast(%(as_of)s as date) and run.state <> 'retracted'
             and (drift_alert.resolved_at is null or drift_alert.resolved_at >= cast(%(stop)s as timestamptz))
       )
from item
left join question on question.id = case when item.item_id ~ '^[0-9]{1,18}$' then item.item_id::bigint end
where item.item_no = any(cast(%(items)s as integer[]))
order by item.item_no

-- name: item_usage
-- Of all learners' answers of the last weeks: the usual time of an item, how many times are known, its usual topic.
select answer.item_no, percentile_cont(0.5) within group (order by answer.response_time_ms),
       count(answer.response_time_ms), mode() within group (order by topic.topic_id)
from answer
left join topic using (topic_no)
where answer.answered_at >= cast(%(start)s as timestamptz) and answer.answered_at < cast(%(stop)s as timestamptz)
  and answer.correct is not null
group by answer.item_no
