-- name: kpis
select learner.learner_no, stored.week_start, stored.kpis
from weekly_kpi as stored
join learner using (user_id)
where learner.learner_no = any(cast(%(learners)s as integer[]))
  and stored.week_start in (cast(%(week)s as date), cast(%(week)s as date) - 7)
