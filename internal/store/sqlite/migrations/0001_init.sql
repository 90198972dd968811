-- 0001_init.sql
-- Times are Unix milliseconds UTC, 0 for "none". What is marked sealed went through
-- package seal. Hot tables (change, payload, delivery, attempt) carry no foreign keys
-- and no secondary indexes: each costs about a fifth of the commits per second, and
-- the one writer is the only one who inserts.

CREATE TABLE setting (
  name  TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL             -- sealed where the name says so (…_sealed)
) STRICT, WITHOUT ROWID;

-- What the admin API accepts.
CREATE TABLE admin_token (
  hash     TEXT    NOT NULL PRIMARY KEY, -- hex SHA-256 of the token, which is random
  added_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  serial     TEXT    NOT NULL UNIQUE,
  state      TEXT    NOT NULL CHECK (state IN ('pending', 'approved')),
  stg_id     TEXT    UNIQUE,              -- NULL while pending
  time_zone  TEXT    NOT NULL DEFAULT '', -- IANA name
  label      TEXT    NOT NULL DEFAULT '',
  site       TEXT    NOT NULL DEFAULT '',
  settle_ms  INTEGER NOT NULL DEFAULT 0,
  direction  TEXT    NOT NULL DEFAULT 'actual',
  poll_ms    INTEGER NOT NULL DEFAULT 0,
  compare_ms INTEGER NOT NULL DEFAULT 0,  -- 0: never
  roaming    INTEGER NOT NULL DEFAULT 0,
  allow_from TEXT    NOT NULL DEFAULT '', -- CIDRs joined by commas
  auth_token BLOB,                        -- sealed; NULL: the endpoint's own
  added_ms   INTEGER NOT NULL,
  seen_ms    INTEGER NOT NULL DEFAULT 0,
  address    TEXT    NOT NULL DEFAULT '',
  protocol   TEXT    NOT NULL DEFAULT '',
  language   TEXT    NOT NULL DEFAULT '',
  firmware   TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE endpoint (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  name          TEXT    NOT NULL UNIQUE,
  url           TEXT    NOT NULL,
  dialect       TEXT    NOT NULL,
  kinds         TEXT    NOT NULL, -- names joined by commas
  ack           TEXT    NOT NULL,
  stop          TEXT    NOT NULL,
  user_ids      TEXT    NOT NULL,
  times         TEXT    NOT NULL,
  device_fields INTEGER NOT NULL,
  faces         TEXT    NOT NULL,
  append_stg_id INTEGER NOT NULL,
  root_copies   INTEGER NOT NULL,
  timeout_ms    INTEGER NOT NULL,
  max_in_flight INTEGER NOT NULL,
  auth_token    BLOB    NOT NULL, -- sealed
  secret        BLOB,             -- sealed; NULL: callbacks are not signed
  added_ms      INTEGER NOT NULL,
  -- Its state, here and nowhere else.
  paused_ms     INTEGER NOT NULL DEFAULT 0, -- 0: not paused
  suspended_ms  INTEGER NOT NULL DEFAULT 0, -- 0: not suspended
  failures      INTEGER NOT NULL DEFAULT 0,
  next_at_ms    INTEGER NOT NULL DEFAULT 0,
  reason        TEXT    NOT NULL DEFAULT '',
  epoch         INTEGER NOT NULL DEFAULT 0  -- grows when an operator pauses or resumes
) STRICT;

-- Which endpoints the changes of a device go to. Read when a change is committed.
CREATE TABLE device_endpoint (
  device_id   INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  place       INTEGER NOT NULL,
  endpoint_id INTEGER NOT NULL REFERENCES endpoint (id),
  PRIMARY KEY (device_id, place)
) STRICT, WITHOUT ROWID;

-- What is known of each user on each device: no credential, only keyed hashes.
CREATE TABLE mirror (
  device_id INTEGER NOT NULL,
  user_id   TEXT    NOT NULL,
  known     INTEGER NOT NULL, -- 0: only credentials came, no user record
  name      TEXT    NOT NULL,
  last_name TEXT    NOT NULL,
  privilege INTEGER NOT NULL,
  hashes    TEXT    NOT NULL, -- JSON object: credential to keyed hash
  PRIMARY KEY (device_id, user_id)
) STRICT, WITHOUT ROWID;

-- Lines of the operation log that may explain a record of a later upload; at most
-- two minutes of them.
CREATE TABLE operation (
  id          INTEGER PRIMARY KEY,
  device_id   INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  user_id     TEXT    NOT NULL,
  code        INTEGER NOT NULL,
  time        TEXT    NOT NULL, -- the device's wall clock
  explains    TEXT    NOT NULL, -- kinds
  used        TEXT    NOT NULL  -- kinds that it explained already
) STRICT;
CREATE INDEX operation_device ON operation (device_id, received_ms);
CREATE INDEX operation_user ON operation (device_id, user_id, received_ms);

-- Punches that came already; the punch itself is a change.
CREATE TABLE punch (
  device_id INTEGER NOT NULL,
  time      TEXT    NOT NULL,
  user_id   TEXT    NOT NULL,
  status    INTEGER NOT NULL,
  verify    INTEGER NOT NULL,
  PRIMARY KEY (device_id, time, user_id, status, verify)
) STRICT, WITHOUT ROWID;

-- Records that were not understood, until an operator dismisses them.
CREATE TABLE unread_record (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id   INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  table_name  TEXT    NOT NULL,
  why         TEXT    NOT NULL,
  line        BLOB    NOT NULL -- sealed
) STRICT;
CREATE INDEX unread_record_device ON unread_record (device_id);

-- Uploads and records that make no callback, kept as they came for a while.
CREATE TABLE upload (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id   INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  table_name  TEXT    NOT NULL,
  why         TEXT    NOT NULL,
  body        BLOB    NOT NULL -- sealed
) STRICT;

-- One fact each: inserted, never updated. Its id, permuted, is its operation id, so
-- ids are never given twice (AUTOINCREMENT).
CREATE TABLE change (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id   INTEGER NOT NULL,
  kinds       TEXT    NOT NULL, -- names joined by commas
  user_id     TEXT    NOT NULL,
  received_ms INTEGER NOT NULL, -- commit time of its first record
  content     BLOB              -- sealed; NULL: in payload
) STRICT;

-- Content of more than 1 KB, so that the pages of change stay dense.
CREATE TABLE payload (
  change_id INTEGER PRIMARY KEY,
  content   BLOB NOT NULL -- sealed
) STRICT;

-- Endpoint, device and class: the unit of order.
CREATE TABLE lane (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  endpoint_id INTEGER NOT NULL,
  device_id   INTEGER NOT NULL,
  class       TEXT    NOT NULL,
  last        INTEGER NOT NULL DEFAULT 0, -- number of the newest delivery
  cursor      INTEGER NOT NULL DEFAULT 0, -- number of the last delivery that is done with
  attempts    INTEGER NOT NULL DEFAULT 0, -- ended attempts of the head
  failures    INTEGER NOT NULL DEFAULT 0, -- failed attempts of the head in a row
  next_at_ms  INTEGER NOT NULL DEFAULT 0, -- earliest next attempt of the head
  UNIQUE (endpoint_id, device_id, class),
  CHECK (cursor <= last)
) STRICT;

-- Place n of a lane: immutable. Waiting is n > cursor.
CREATE TABLE delivery (
  lane_id   INTEGER NOT NULL,
  n         INTEGER NOT NULL,
  change_id INTEGER NOT NULL,
  kinds     TEXT    NOT NULL, -- those of the change that the endpoint had chosen
  PRIMARY KEY (lane_id, n)
) STRICT, WITHOUT ROWID;

-- Deliveries at or before the cursor that were not acknowledged.
CREATE TABLE delivery_exception (
  lane_id INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  state   TEXT    NOT NULL CHECK (state IN ('parked', 'skipped')),
  why     TEXT    NOT NULL,
  at_ms   INTEGER NOT NULL,
  PRIMARY KEY (lane_id, n)
) STRICT, WITHOUT ROWID;

-- One try of a delivery each: inserted, never updated.
CREATE TABLE attempt (
  lane_id      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  number       INTEGER NOT NULL, -- 1, 2, 3 …
  started_ms   INTEGER NOT NULL,
  duration_us  INTEGER NOT NULL,
  status       INTEGER NOT NULL, -- of the answer; 0: none came
  acknowledged INTEGER NOT NULL,
  error        TEXT    NOT NULL,
  answer       BLOB,             -- sealed; at most 1 KiB of the body
  PRIMARY KEY (lane_id, n, number)
) STRICT, WITHOUT ROWID;
