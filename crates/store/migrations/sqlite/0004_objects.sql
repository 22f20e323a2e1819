-- Objects that live at a provider. No foreign keys: what was made there is there.

-- Whose an object is. facts: JSON of what its file asks for, NULL when there is nothing to remember.
CREATE TABLE stored_object (
    project_id BLOB NOT NULL,
    id TEXT NOT NULL,
    provider_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    organization_id BLOB NOT NULL,
    member_id BLOB,
    api_key_id BLOB,
    session_id BLOB,
    request_id BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    facts TEXT,
    PRIMARY KEY (project_id, id, provider_id)
) STRICT, WITHOUT ROWID;

-- Work that goes on after its answer: charged at an estimate until settled_at.
CREATE TABLE deferred_work (
    request_id BLOB PRIMARY KEY,
    organization_id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    member_id BLOB,
    api_key_id BLOB,
    session_id BLOB,
    reserved_at INTEGER NOT NULL,
    provider_id BLOB NOT NULL,
    format TEXT NOT NULL,
    object_id TEXT NOT NULL,
    model TEXT NOT NULL,
    requests INTEGER NOT NULL,
    aside_cost INTEGER NOT NULL,
    aside_requests INTEGER NOT NULL,
    aside_tokens INTEGER NOT NULL,
    look_at INTEGER NOT NULL,
    looks INTEGER NOT NULL,
    give_up_at INTEGER NOT NULL,
    settled_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX deferred_work_due ON deferred_work (look_at) WHERE settled_at IS NULL;
CREATE INDEX deferred_work_object ON deferred_work (project_id, object_id)
    WHERE settled_at IS NULL;
