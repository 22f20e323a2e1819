-- What an operator declares: organisations, projects, members, providers, routes, keys, limits.
-- managed_by: file | first_run | admin. disabled_at: NULL while in force.

CREATE TABLE deployment (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Random keys that seal credentials, themselves sealed by the master key.
CREATE TABLE data_key (
    id BLOB PRIMARY KEY,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE organization (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    managed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE project (
    id BLOB PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organization (id),
    slug TEXT NOT NULL,
    managed_by TEXT NOT NULL,
    disabled_at INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (organization_id, slug)
) STRICT;

CREATE TABLE member (
    id BLOB PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organization (id),
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    managed_by TEXT NOT NULL,
    disabled_at INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (organization_id, email)
) STRICT;

CREATE TABLE provider (
    id BLOB PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organization (id),
    slug TEXT NOT NULL,
    kind TEXT NOT NULL,
    base_url TEXT NOT NULL,
    credential_placement TEXT,
    credential_sealed BLOB,
    unpriced TEXT NOT NULL,
    report_cost TEXT NOT NULL,
    on_client_gone TEXT NOT NULL,
    cancel_stops_billing INTEGER NOT NULL,
    forward_trace INTEGER NOT NULL,
    managed_by TEXT NOT NULL,
    disabled_at INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (organization_id, slug)
) STRICT;

-- Nano-dollars per million tokens.
CREATE TABLE provider_price (
    provider_id BLOB NOT NULL REFERENCES provider (id),
    position INTEGER NOT NULL,
    model TEXT NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER,
    cache_write INTEGER,
    PRIMARY KEY (provider_id, position)
) STRICT;

CREATE TABLE routing_group (
    id BLOB PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organization (id),
    slug TEXT NOT NULL,
    managed_by TEXT NOT NULL,
    disabled_at INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (organization_id, slug)
) STRICT;

-- models: JSON list of [as asked, as sent].
CREATE TABLE routing_target (
    group_id BLOB NOT NULL REFERENCES routing_group (id),
    position INTEGER NOT NULL,
    provider_id BLOB NOT NULL REFERENCES provider (id),
    priority INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    models TEXT NOT NULL,
    PRIMARY KEY (group_id, position)
) STRICT;

-- state: active | disabled | blocked | revoked. allowed_*: JSON list, empty = all.
CREATE TABLE api_key (
    id BLOB PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organization (id),
    project_id BLOB NOT NULL REFERENCES project (id),
    member_id BLOB REFERENCES member (id),
    name TEXT NOT NULL,
    display_prefix TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    state TEXT NOT NULL,
    expires_at INTEGER,
    allowed_routes TEXT NOT NULL,
    allowed_models TEXT NOT NULL,
    managed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX api_key_name ON api_key (project_id, name) WHERE state <> 'revoked';

CREATE TABLE spending_limit (
    scope_kind TEXT NOT NULL,
    scope_id BLOB NOT NULL,
    window_kind TEXT NOT NULL,
    unit TEXT NOT NULL,
    organization_id BLOB NOT NULL REFERENCES organization (id),
    amount INTEGER NOT NULL,
    action TEXT NOT NULL,
    managed_by TEXT NOT NULL,
    PRIMARY KEY (scope_kind, scope_id, window_kind, unit)
) STRICT;

-- Who changed what. Never a secret.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    organization_id BLOB NOT NULL,
    subject_id BLOB NOT NULL
) STRICT;
