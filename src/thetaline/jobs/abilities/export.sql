-- name: current
select user_id, theta, se, model, run_id, fitted_at from mirt_ability order by user_id

-- name: current_by_topic
select user_id, topic_id, theta, se, model, run_id, fitted_at from student_topic_theta order by user_id, topic_id
