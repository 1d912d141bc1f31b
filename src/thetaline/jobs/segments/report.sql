-- name: newest_run
select run_id, as_of from run where run_id = newest_segments(cast(%(as_of)s as date))

-- name: newest_reason
select meta.reason
from segment_meta as meta
join run using (run_id)
where meta.status = 'not fitted' and run.as_of <= cast(%(as_of)s as date)
order by run.as_of desc, meta.fitted_at desc
limit 1

-- name: rows
select learner.user_id, meta.centers -> stored.segment ->> 'label', meta.centers -> stored.segment ->> 'english',
       meta.centers -> stored.segment ->> 'korean', stored.features
from learner_segment as stored
join learner using (learner_no)
join segment_meta as meta using (run_id)
where stored.run_id = cast(%(run_id)s as text)
  and (cast(%(users)s as text[]) is null or learner.user_id = any(cast(%(users)s as text[])))
order by stored.segment, learner.user_id
limit cast(%(most)s as integer)
