-- Providers of every kind: where in its cloud one is, how it is reached, and the cost of attempts
-- that were given up.
-- credential_placement: bearer | header:NAME | query:NAME | aws:keys | aws:chain |
-- google:service-account | google:default | entra. The two that hold no secret have nothing sealed.

ALTER TABLE provider ADD COLUMN region TEXT;
ALTER TABLE provider ADD COLUMN project TEXT;
ALTER TABLE provider ADD COLUMN location TEXT;
ALTER TABLE provider ADD COLUMN api_version TEXT;
ALTER TABLE provider ADD COLUMN connect_timeout_ms INTEGER;
ALTER TABLE provider ADD COLUMN head_timeout_ms INTEGER;
ALTER TABLE provider ADD COLUMN idle_timeout_ms INTEGER;
ALTER TABLE provider ADD COLUMN max_concurrency INTEGER;
ALTER TABLE provider ADD COLUMN ca_pem TEXT;
ALTER TABLE provider ADD COLUMN allow_deferred INTEGER NOT NULL DEFAULT 0;

ALTER TABLE routing_group ADD COLUMN time_budget_ms INTEGER;

ALTER TABLE usage ADD COLUMN abandoned_cost INTEGER NOT NULL DEFAULT 0;
