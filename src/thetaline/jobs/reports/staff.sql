-- name: risks
select stored.learner_no, stored.risk, meta.in_force
from learner_risk as stored join survival_fit_meta as meta using (run_id)
where stored.run_id = cast(%(run_id)s as text) and stored.learner_no = any(cast(%(learners)s as integer[]))

-- name: segments
-- One group of all is no group, and one that the next run would not find again is told to nobody.
select stored.learner_no, meta.centers -> stored.segment ->> 'english', meta.centers -> stored.segment ->> 'korean'
from learner_segment as stored join segment_meta as meta using (run_id)
where stored.run_id = cast(%(run_id)s as text) and stored.learner_no = any(cast(%(learners)s as integer[]))
  and meta.n_clusters > 1 and (meta.centers -> stored.segment ->> 'label') is distinct from cast(%(unstable)s as text)
