-- Version 1 of the schema. It is never changed: what comes later is a migration in a file of its own.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id      INTEGER PRIMARY KEY,
    started INTEGER NOT NULL,
    source  TEXT NOT NULL,
    program TEXT NOT NULL,
    masked  INTEGER NOT NULL
) STRICT;

CREATE TABLE endpoint (
    id           INTEGER PRIMARY KEY,
    method       TEXT NOT NULL,
    authority    TEXT NOT NULL,
    template     TEXT NOT NULL,
    exchanges    INTEGER NOT NULL DEFAULT 0,
    successes    INTEGER NOT NULL DEFAULT 0,
    refusals     INTEGER NOT NULL DEFAULT 0,
    first        INTEGER,
    last         INTEGER,
    last_success INTEGER,
    UNIQUE (method, authority, template)
) STRICT;

CREATE TABLE exchange (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL,
    endpoint    INTEGER NOT NULL REFERENCES endpoint (id),
    started     INTEGER NOT NULL,
    latency     INTEGER,
    client      TEXT NOT NULL,
    client_port INTEGER NOT NULL,
    server      TEXT NOT NULL,
    method      TEXT NOT NULL,
    target      TEXT NOT NULL,
    status      INTEGER,
    outcome     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    identity    INTEGER,
    cause       TEXT,
    confidence  REAL,
    refuser     TEXT,
    record      TEXT NOT NULL
) STRICT;
CREATE INDEX exchange_started ON exchange (started);
CREATE INDEX exchange_kind ON exchange (kind, id);
CREATE INDEX exchange_refused ON exchange (endpoint, started) WHERE kind = 'refusal';

CREATE TABLE last_success (
    endpoint INTEGER NOT NULL,
    identity INTEGER NOT NULL,
    exchange INTEGER NOT NULL,
    PRIMARY KEY (endpoint, identity)
) STRICT, WITHOUT ROWID;

CREATE VIEW refusals AS
SELECT x.id,
       strftime('%Y-%m-%dT%H:%M:%fZ', x.started / 1e9, 'unixepoch') AS time,
       e.method || ' ' || e.authority || e.template AS endpoint,
       x.status, x.cause, round(x.confidence, 2) AS confidence, x.refuser, x.client, x.identity,
       x.target, round(x.latency / 1e6, 3) AS latency_ms, x.record
FROM exchange x JOIN endpoint e ON e.id = x.endpoint
WHERE x.kind = 'refusal';

CREATE VIEW endpoints AS
SELECT e.id, e.method || ' ' || e.authority || e.template AS endpoint,
       e.exchanges, e.successes, e.refusals,
       round(100.0 * e.refusals / max(e.exchanges, 1), 1) AS refused_percent,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.first / 1e9, 'unixepoch') AS first,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.last / 1e9, 'unixepoch') AS last,
       (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', x.started / 1e9, 'unixepoch')
        FROM exchange x WHERE x.id = e.last_success) AS last_success
FROM endpoint e;

-- Refusals of one endpoint with one status and cause, without a pause of five minutes or more between them.
CREATE VIEW incidents AS
WITH step AS (
    SELECT *, coalesce(started - lag(started) OVER one > 300000000000, 1) AS begins
    FROM exchange WHERE kind = 'refusal'
    WINDOW one AS (PARTITION BY endpoint, status, cause ORDER BY started, id)
), numbered AS (
    SELECT *, sum(begins) OVER (
        PARTITION BY endpoint, status, cause ORDER BY started, id ROWS UNBOUNDED PRECEDING
    ) AS number FROM step
)
SELECT min(n.id) AS id,
       strftime('%Y-%m-%dT%H:%M:%fZ', min(n.started) / 1e9, 'unixepoch') AS began,
       strftime('%Y-%m-%dT%H:%M:%fZ', max(n.started) / 1e9, 'unixepoch') AS ended,
       e.method || ' ' || e.authority || e.template AS endpoint,
       n.status, n.cause, count(*) AS refusals,
       count(DISTINCT n.client) AS clients, count(DISTINCT n.identity) AS identities,
       (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', max(s.started) / 1e9, 'unixepoch') FROM exchange s
        WHERE s.kind = 'success' AND s.endpoint = n.endpoint AND s.started < min(n.started)) AS last_success_before
FROM numbered n JOIN endpoint e ON e.id = n.endpoint
GROUP BY n.endpoint, n.status, n.cause, n.number;
