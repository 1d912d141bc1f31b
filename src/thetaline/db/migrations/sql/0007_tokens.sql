-- A learner's token reads that learner only: what shows other learners, a job's result among it, leaves its scopes.

update api_token
set scopes = array_remove(array_remove(scopes, 'read:all'), 'calibrate')
where 'read:self' = any (scopes) and scopes && array ['read:all', 'calibrate'];

alter table api_token
    add constraint a_self_token_shows_nobody_else
    check (not ('read:self' = any (scopes)) or scopes <@ array ['read:self', 'score']);
