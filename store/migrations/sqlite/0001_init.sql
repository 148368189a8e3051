-- Instants are UTC milliseconds, spans milliseconds. Words are those of syncwatch-domain.

create table source (
    id integer primary key,
    tenant text not null,
    poll text not null,
    instance text not null,
    first_seen_at bigint not null,
    attempted_at bigint,
    read_at bigint,
    failing_since bigint,
    failures bigint not null default 0,
    failure text,
    failure_text text,
    took_ms bigint,
    retired bigint not null default 0,
    -- What the next read continues from: the poll's own notation.
    resume text,
    -- The evaluator has not looked since the last change that matters to it.
    unseen bigint not null default 1,
    unique (tenant, poll, instance)
);
create index source_unseen on source (id) where unseen = 1;

create table lane (
    id integer primary key,
    tenant text not null,
    engine text not null,
    kind text not null,
    partition text not null,
    source_id bigint not null references source (id),
    job_id text,
    first_seen_at bigint not null,
    last_success_at bigint,
    configured_ms bigint,
    promised_ms bigint,
    learned_ms bigint,
    learner text not null,
    interval_ms bigint not null,
    late_after_ms bigint not null,
    missed_after_ms bigint not null,
    late_at bigint,
    deadline_at bigint,
    -- Start of a read of this lane alone; the source's own read covers all its lanes.
    confirmed_at bigint,
    -- Set when cycles became expected again: the window cannot begin earlier.
    expected_since bigint,
    -- Null, 'paused' or 'masked'; an idle lane has no late_at and no deadline_at.
    idle text,
    idle_reason text,
    status text not null,
    status_at bigint,
    -- When the evaluator must look: 0 after a change, null while only a change can matter.
    due_at bigint,
    version bigint not null default 0,
    missed_windows bigint not null default 0,
    unique (tenant, engine, kind, partition)
);
create index lane_due on lane (due_at) where due_at is not null;
create index lane_overdue on lane (deadline_at) where status <> 'blind';
create index lane_late on lane (source_id, late_at);
create index lane_deadline on lane (source_id, deadline_at);

create table cycle (
    lane_id bigint not null references lane (id),
    ended_at bigint not null,
    began_at bigint,
    outcome text not null,
    evidence text not null,
    exported bigint,
    escrowed bigint,
    primary key (lane_id, ended_at)
) without rowid;

create table cycle_total (
    lane_id bigint not null references lane (id),
    outcome text not null,
    count bigint not null,
    -- How many of them had a known length, and the sum of those.
    timed bigint not null,
    duration_ms bigint not null,
    primary key (lane_id, outcome)
) without rowid;

create table transition (
    id integer primary key,
    lane_id bigint not null references lane (id),
    from_status text not null,
    to_status text not null,
    occurred_at bigint,
    detected_at bigint not null
);
create index transition_detected on transition (detected_at);

create table missed_window (
    lane_id bigint not null references lane (id),
    from_at bigint not null,
    deadline_at bigint not null,
    caught_up_at bigint,
    windows bigint not null,
    proof text not null,
    primary key (lane_id, from_at)
) without rowid;

create table job (
    tenant text not null,
    job_id text not null,
    source_id bigint not null references source (id),
    template text not null,
    domain text not null,
    status text not null,
    facts text not null,
    gone bigint not null default 0,
    unseen bigint not null default 1,
    version bigint not null default 0,
    primary key (tenant, job_id)
) without rowid;
create index job_unseen on job (tenant, job_id) where unseen = 1;
create index job_source on job (source_id);

create table job_ref (
    id integer primary key,
    tenant text not null,
    job_id text not null,
    unique (tenant, job_id)
);

-- Rows of the provisioning log and the directory audits. The instant comes first in the key so
-- that inserts land at its right edge; a key on the random id alone rewrites a page per row.
create table observation (
    occurred_at bigint not null,
    id blob not null,
    job_ref bigint not null,
    stream smallint not null,
    action smallint not null,
    status smallint not null,
    error_code text,
    object_id text,
    dictionary smallint not null,
    raw blob not null,
    unique (occurred_at, id)
);

create table event_total (
    job_ref bigint not null references job_ref (id),
    action smallint not null,
    status smallint not null,
    error_group text not null,
    count bigint not null,
    primary key (job_ref, action, status, error_group)
) without rowid;

-- Objects whose newest log row is a failure.
create table object_error (
    job_ref bigint not null references job_ref (id),
    object_id text not null,
    error_code text not null,
    error_group text not null,
    first_at bigint not null,
    last_at bigint not null,
    primary key (job_ref, object_id)
) without rowid;

create table object_error_job (
    job_ref bigint primary key references job_ref (id),
    unseen bigint not null default 1,
    version bigint not null default 0
) without rowid;

-- Small facts of a tenant that are no lane and no job: last known value wins.
create table fact (
    tenant text not null,
    name text not null,
    value text not null,
    read_at bigint not null,
    unseen bigint not null default 1,
    primary key (tenant, name)
) without rowid;

create table alert (
    id text primary key,
    rule text not null,
    tenant text not null,
    path text not null,
    severity text not null,
    state text not null,
    occurred_at bigint not null,
    detected_at bigint not null,
    resolved_at bigint,
    cause text,
    -- The whole alert as JSON; the columns above are for finding it.
    body text not null
) without rowid;
create unique index alert_firing on alert (tenant, path, rule) where state = 'firing';
create index alert_counted on alert (state, tenant, rule, severity);
create index alert_detected on alert (detected_at);
-- Causes that are over still count for a while.
create index alert_ended on alert (rule, resolved_at) where state = 'resolved';
create index alert_cause on alert (cause) where cause is not null;

create table delivery (
    id integer primary key,
    idempotency_key text not null unique,
    alert_id text not null references alert (id),
    receiver text not null,
    state text not null,
    attempts bigint not null default 0,
    created_at bigint not null,
    due_at bigint not null,
    lease_owner text,
    lease_until bigint,
    finished_at bigint,
    last_error text,
    -- The notification as JSON: a snapshot, so that a late delivery tells what was true.
    body text not null
);
create index delivery_due on delivery (receiver, due_at) where state = 'pending';
create index delivery_dead on delivery (finished_at) where state = 'dead';
-- What was told about an alert, and the order in which one receiver is told.
create index delivery_alert on delivery (alert_id, receiver);

create table attempt (
    delivery_id bigint not null references delivery (id),
    number bigint not null,
    began_at bigint not null,
    ended_at bigint not null,
    outcome text not null,
    error text,
    primary key (delivery_id, number)
) without rowid;

-- Agents on sync servers.
create table agent (
    id integer primary key,
    tenant text not null,
    agent_id text not null,
    host text not null,
    -- Version, roles and the rest of what it says about itself, as JSON.
    identity text not null,
    first_seen_at bigint not null,
    reported_at bigint not null,
    clock_ahead_ms bigint not null,
    unique (tenant, agent_id)
);

-- How far each spool of an agent has come home. A spool that was lost begins anew under another name.
create table agent_spool (
    id integer primary key,
    agent_ref bigint not null references agent (id),
    spool text not null,
    acknowledged bigint not null,
    -- What the spool holds behind the newest batch, and what was dropped from it since it is known.
    waiting bigint not null,
    lost bigint not null,
    unique (agent_ref, spool)
);

-- What agents read, as it came. Numbers of a spool grow, so inserts stay local.
create table agent_record (
    spool_ref bigint not null references agent_spool (id),
    seq bigint not null,
    section text not null,
    read_at bigint not null,
    outcome text not null,
    dictionary smallint not null,
    raw blob not null,
    primary key (spool_ref, seq)
);
create index agent_record_read on agent_record (read_at);

-- Objects of Entra ID that delta queries told of.
create table object (
    id integer primary key,
    tenant text not null,
    object_id text not null,
    kind text not null,
    life text not null,
    -- What is known of it, as JSON.
    facts text not null,
    -- The newest full round that told of it.
    round bigint not null,
    -- Null while neither engine has to do with it, or nobody looked yet.
    owner text,
    standing text,
    doubt text,
    -- AD domain that it is counted under.
    owner_domain text not null default '',
    owner_at bigint,
    -- Its owner was not judged since it changed.
    unseen bigint not null default 1,
    version bigint not null default 0,
    unique (tenant, object_id)
);
create index object_paged on object (tenant, id);
create index object_unseen on object (tenant, id) where unseen = 1;
create index object_gone on object (id) where life = 'gone';

-- Lists of objects that have something in common, read page by page.
create table object_list (
    tenant text not null,
    list text not null,
    -- Number of the newest reading that came to its end.
    reading bigint not null,
    primary key (tenant, list)
) without rowid;

create table listed_object (
    tenant text not null,
    list text not null,
    object_id text not null,
    -- Number of the newest reading that named it.
    reading bigint not null,
    primary key (tenant, list, object_id)
) without rowid;

create table owner_change (
    id integer primary key,
    tenant text not null,
    object_id text not null,
    kind text not null,
    from_owner text,
    to_owner text,
    changed_at bigint not null,
    cause text not null
);
create index owner_change_changed on owner_change (changed_at);
create index owner_change_newest on owner_change (tenant, id);

create table owner_count (
    tenant text not null,
    domain text not null,
    kind text not null,
    owner text not null,
    objects bigint not null,
    primary key (tenant, domain, kind, owner)
) without rowid;

-- Counts as they were, one for each minute in which they changed.
create table owner_series (
    tenant text not null,
    domain text not null,
    kind text not null,
    owner text not null,
    counted_at bigint not null,
    objects bigint not null,
    primary key (tenant, domain, kind, owner, counted_at)
) without rowid;
create index owner_series_counted on owner_series (counted_at);
