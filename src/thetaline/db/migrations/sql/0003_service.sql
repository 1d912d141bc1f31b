-- Bearer tokens: the secret itself is shown once and kept nowhere; 256 random bits need no slow hash.

create table api_token (
    token_id text primary key,
    name text not null,
    secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
    scopes text[] not null
        check (scopes <> '{}' and scopes <@ array ['calibrate', 'score', 'read:all', 'read:self']),
    user_id text,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    constraint a_self_token_names_its_learner check ((user_id is not null) = ('read:self' = any (scopes)))
);
comment on column api_token.user_id is 'the one learner that a read:self token may read';

-- Fits too large to answer within a request. A replica that takes one holds a lease; an expired lease frees the job.

create table service_job (
    job_id uuid primary key default gen_random_uuid(),
    kind text not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
    token_name text not null,
    content_type text not null,
    options jsonb not null default '{}',
    attempts integer not null default 0,
    progress jsonb,
    error jsonb,
    cancel_requested boolean not null default false,
    leased_by text,
    leased_until timestamptz,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    constraint a_running_job_is_leased check ((state = 'running') = (leased_until is not null))
);
create index service_job_open on service_job (created_at) where state in ('queued', 'running');
create index service_job_finished on service_job (finished_at) where finished_at is not null;

create table service_job_body (
    job_id uuid not null references service_job on delete cascade,
    part text not null check (part in ('request', 'result')),
    chunk_no integer not null,
    data bytea not null,
    primary key (job_id, part, chunk_no)
);
-- Transient megabytes: compressing them costs more than their disk for a week.
alter table service_job_body alter column data set storage external;
