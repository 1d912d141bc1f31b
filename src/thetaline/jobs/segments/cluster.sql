-- name: last_run
-- The newest run of an earlier week.
select meta.run_id, meta.centers
from segment_meta as meta
where meta.run_id = newest_segments(cast(%(as_of)s as date) - 7)

-- name: last_members
select learner.user_id, stored.segment
from learner_segment as stored
join learner using (learner_no)
where stored.run_id = cast(%(run_id)s as text)

-- name: insert_meta
insert into segment_meta (run_id, method, n_clusters, centers, metrics, fitted_at, status, reason, intended_use)
values (cast(%(run_id)s as text), cast(%(method)s as text), cast(%(n_clusters)s as integer),
        cast(%(centers)s as jsonb), cast(%(metrics)s as jsonb), cast(%(fitted_at)s as timestamptz),
        cast(%(status)s as text), cast(%(reason)s as text), cast(%(intended_use)s as text))
