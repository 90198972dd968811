-- The schema after all migrations. Written by go test -run TestSchema -update.

CREATE TABLE setting (
  name  TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL             -- sealed where the name says so (…_sealed)
) STRICT, WITHOUT ROWID;

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
, family TEXT NOT NULL DEFAULT '', clock_offset_ms INTEGER NOT NULL DEFAULT 0, measured_ms INTEGER NOT NULL DEFAULT 0, told_offset_s INTEGER NOT NULL DEFAULT 0, told_ms INTEGER NOT NULL DEFAULT 0, late_times INTEGER NOT NULL DEFAULT 0, late_settle_ms INTEGER NOT NULL DEFAULT 0, unconfirmed_ms INTEGER NOT NULL DEFAULT 0, removed_ms INTEGER NOT NULL DEFAULT 0, removed_serial TEXT NOT NULL DEFAULT '', removed_stg_id TEXT NOT NULL DEFAULT '', compared_ms INTEGER NOT NULL DEFAULT 0) STRICT;

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

CREATE TABLE device_endpoint (
  device_id   INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  place       INTEGER NOT NULL,
  endpoint_id INTEGER NOT NULL REFERENCES endpoint (id),
  PRIMARY KEY (device_id, place)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE operation (
  id          INTEGER PRIMARY KEY,
  device_id   INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  user_id     TEXT    NOT NULL,
  code        INTEGER NOT NULL,
  time        TEXT    NOT NULL, -- the device's wall clock
  explains    TEXT    NOT NULL, -- kinds
  used        TEXT    NOT NULL  -- kinds that it explained already
, answered INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE INDEX operation_device ON operation (device_id, received_ms);

CREATE INDEX operation_user ON operation (device_id, user_id, received_ms);

CREATE TABLE unread_record (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id   INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  table_name  TEXT    NOT NULL,
  why         TEXT    NOT NULL,
  line        BLOB    NOT NULL -- sealed
) STRICT;

CREATE INDEX unread_record_device ON unread_record (device_id);

CREATE TABLE upload (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id   INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  table_name  TEXT    NOT NULL,
  why         TEXT    NOT NULL,
  body        BLOB    NOT NULL -- sealed
) STRICT;

CREATE TABLE change (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id   INTEGER NOT NULL,
  kinds       TEXT    NOT NULL, -- names joined by commas
  user_id     TEXT    NOT NULL,
  received_ms INTEGER NOT NULL, -- commit time of its first record
  content     BLOB              -- sealed; NULL: in payload
) STRICT;

CREATE TABLE payload (
  change_id INTEGER PRIMARY KEY,
  content   BLOB NOT NULL -- sealed
) STRICT;

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

CREATE TABLE delivery (
  lane_id   INTEGER NOT NULL,
  n         INTEGER NOT NULL,
  change_id INTEGER NOT NULL,
  kinds     TEXT    NOT NULL, -- those of the change that the endpoint had chosen
  PRIMARY KEY (lane_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery_exception (
  lane_id INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  state   TEXT    NOT NULL CHECK (state IN ('parked', 'skipped')),
  why     TEXT    NOT NULL,
  at_ms   INTEGER NOT NULL,
  PRIMARY KEY (lane_id, n)
) STRICT, WITHOUT ROWID;

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

CREATE INDEX operation_unanswered ON operation (device_id, received_ms) WHERE answered = 0;

CREATE TABLE "punch" (
  device_id INTEGER NOT NULL,
  time      TEXT    NOT NULL,
  user_id   TEXT    NOT NULL,
  status    INTEGER NOT NULL,
  verify    INTEGER NOT NULL,
  place     TEXT    NOT NULL DEFAULT '', -- the device's index; '' where it has none
  PRIMARY KEY (device_id, time, user_id, status, verify, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE draft (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id INTEGER NOT NULL,
  due_ms    INTEGER NOT NULL, -- closes by itself
  body      BLOB    NOT NULL  -- sealed
) STRICT;

CREATE INDEX draft_device ON draft (device_id);

CREATE TABLE untimed (
  device_id   INTEGER NOT NULL,
  user_id     TEXT    NOT NULL,
  kinds       TEXT    NOT NULL,
  received_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX untimed_user ON untimed (device_id, user_id, received_ms);

CREATE TABLE device_order (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id INTEGER NOT NULL,
  what      TEXT    NOT NULL,
  user_id   TEXT    NOT NULL, -- '' all
  tell      INTEGER NOT NULL, -- 0: the rows of its answer fill the mirror silently
  added_ms  INTEGER NOT NULL,
  handed_ms INTEGER NOT NULL DEFAULT 0, -- 0: waits
  tries     INTEGER NOT NULL DEFAULT 0,
  compare   INTEGER NOT NULL DEFAULT 0, -- 1: users that do not come are gone
  time      TEXT    NOT NULL DEFAULT '', -- of the line of the operation log that it follows from
  rows      INTEGER NOT NULL DEFAULT 0  -- records of users that came for it
) STRICT;

CREATE INDEX device_order_device ON device_order (device_id);

CREATE TABLE order_user (
  order_id INTEGER NOT NULL,
  user_id  TEXT    NOT NULL,
  PRIMARY KEY (order_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE part (
  device_id   INTEGER NOT NULL,
  order_id    TEXT    NOT NULL,
  table_name  TEXT    NOT NULL,
  place       INTEGER NOT NULL, -- from 1
  received_ms INTEGER NOT NULL,
  body        BLOB    NOT NULL, -- sealed
  PRIMARY KEY (device_id, order_id, table_name, place)
) STRICT;

CREATE TABLE alarm (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id INTEGER NOT NULL,
  what      TEXT    NOT NULL, -- names the incident
  at_ms     INTEGER NOT NULL,
  text      TEXT    NOT NULL, -- in words, no credential
  ended_ms  INTEGER NOT NULL DEFAULT 0 -- 0: open
) STRICT;

CREATE UNIQUE INDEX alarm_open ON alarm (device_id, what) WHERE ended_ms = 0;
