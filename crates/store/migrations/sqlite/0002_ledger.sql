-- What happened: entries, the sums of the accounts that count them, one wide record per request.
-- No foreign keys: a fact is never refused.

-- Immutable. position is the order of commits.
CREATE TABLE entry (
    position INTEGER PRIMARY KEY,
    request_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    n INTEGER NOT NULL,
    reserved_at INTEGER NOT NULL,
    booked_at INTEGER NOT NULL,
    organization_id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    member_id BLOB,
    api_key_id BLOB,
    session_id BLOB,
    cost INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    UNIQUE (request_id, kind, n)
) STRICT;

-- What a newly opened account sums up: a key's or a session's entries by themselves, everybody
-- else's by time. Each request pays for every index, an opening only once per limit and window.
CREATE INDEX entry_reserved ON entry (reserved_at);
CREATE INDEX entry_api_key ON entry (api_key_id, reserved_at) WHERE api_key_id IS NOT NULL;
CREATE INDEX entry_session ON entry (session_id, reserved_at) WHERE session_id IS NOT NULL;

-- window_start: a local date, or total. cap: NULL where nothing is blocked.
CREATE TABLE account (
    scope_kind TEXT NOT NULL,
    scope_id BLOB NOT NULL,
    unit TEXT NOT NULL,
    window_kind TEXT NOT NULL,
    window_start TEXT NOT NULL,
    opens_at INTEGER NOT NULL,
    closes_at INTEGER NOT NULL,
    cap INTEGER,
    posted INTEGER NOT NULL,
    PRIMARY KEY (scope_id, unit, window_kind, window_start)
) STRICT, WITHOUT ROWID;

-- Finds the accounts that are open among a scope's closed ones.
CREATE INDEX account_open ON account (scope_id, closes_at);

-- One record per request. units: what was counted beyond the five token columns, as
-- unit=count,unit=count. A request whose process died has empty words.
CREATE TABLE usage (
    position INTEGER PRIMARY KEY,
    request_id BLOB NOT NULL UNIQUE,
    received_at INTEGER NOT NULL,
    first_byte_at INTEGER,
    ended_at INTEGER NOT NULL,
    organization_id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    member_id BLOB,
    api_key_id BLOB,
    session_id BLOB,
    route TEXT NOT NULL,
    provider TEXT,
    format TEXT NOT NULL,
    operation TEXT NOT NULL,
    model_asked TEXT NOT NULL,
    model_answered TEXT,
    stream INTEGER NOT NULL,
    status INTEGER NOT NULL,
    error TEXT,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    units TEXT NOT NULL,
    cost INTEGER NOT NULL,
    provider_cost INTEGER,
    held_cost INTEGER NOT NULL,
    held_tokens INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    price_version TEXT NOT NULL,
    upstream_request_id TEXT
) STRICT;

CREATE INDEX usage_received ON usage (organization_id, received_at);
