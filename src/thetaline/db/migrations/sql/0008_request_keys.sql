-- A client that got no answer asks again under the same key, and is told of the job that it has already.
alter table service_job add column request_key text check (request_key ~ '^[A-Za-z0-9._-]{1,64}$');
create unique index service_job_by_request on service_job (token_name, request_key) where request_key is not null;
