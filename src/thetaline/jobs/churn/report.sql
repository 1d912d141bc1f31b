-- name: newest_run
select run_id, as_of
from run
where job = 'fit_survival_churn' and state = 'published' and as_of <= cast(%(as_of)s as date)
order by as_of desc, started_at desc
limit 1

-- name: newest_reason
select meta.reason
from survival_fit_meta as meta
join run using (run_id)
where meta.status = 'not fitted' and run.as_of <= cast(%(as_of)s as date)
order by run.as_of desc, meta.fitted_at desc
limit 1

-- name: rows
select learner.user_id, stored.risk, stored.hazard_ratio, stored.rank_percentile, meta.in_force
from learner_risk as stored
join learner using (learner_no)
join survival_fit_meta as meta using (run_id)
where stored.run_id = cast(%(run_id)s as text)
  and (cast(%(users)s as text[]) is null or learner.user_id = any(cast(%(users)s as text[])))
order by stored.risk desc, learner.user_id
limit cast(%(most)s as integer)

-- name: accuracy
-- On the weeks held out: of the model and both baselines over all, then of the model by new or old learner and by class.
select told.key, told.value -> 'n', told.value -> 'n_silent', cast(told.value ->> 'auc' as float8),
       cast(told.value ->> 'brier' as float8), cast(told.value ->> 'log_loss' as float8),
       cast(told.value ->> 'slope' as float8), cast(told.value ->> 'intercept' as float8)
from survival_fit_meta as meta
cross join jsonb_each(meta.metrics -> 'accuracy') as told
where meta.run_id = cast(%(run_id)s as text)
order by told.key like 'group %%', told.key like '%% learners', told.key <> meta.in_force, told.key
limit cast(%(most)s as integer)
