-- 0002_drafts_orders.sql
-- What joins across uploads, and what we want of devices. Code of 0001 knows none of
-- it and keeps working: it makes no drafts, hands out no orders, and its punches have
-- no index.

ALTER TABLE operation ADD COLUMN answered INTEGER NOT NULL DEFAULT 0; -- a record of its user came, or was asked for
CREATE INDEX operation_unanswered ON operation (device_id, received_ms) WHERE answered = 0;

ALTER TABLE device ADD COLUMN family TEXT NOT NULL DEFAULT '';          -- att, acc; '' not known
ALTER TABLE device ADD COLUMN clock_offset_ms INTEGER NOT NULL DEFAULT 0; -- device's clock ahead of ours
ALTER TABLE device ADD COLUMN measured_ms INTEGER NOT NULL DEFAULT 0;     -- when; 0: never
ALTER TABLE device ADD COLUMN told_offset_s INTEGER NOT NULL DEFAULT 0;   -- offset from UTC told at the last handshake
ALTER TABLE device ADD COLUMN told_ms INTEGER NOT NULL DEFAULT 0;         -- when; 0: never
ALTER TABLE device ADD COLUMN late_times INTEGER NOT NULL DEFAULT 0;      -- operation times that came too late
ALTER TABLE device ADD COLUMN late_settle_ms INTEGER NOT NULL DEFAULT 0;  -- settle time that would have caught the last
ALTER TABLE device ADD COLUMN unconfirmed_ms INTEGER NOT NULL DEFAULT 0;  -- since when the mirror may hold users that are gone

-- Punches of access terminals have an index, which starts again after a reset.
CREATE TABLE punch_0002 (
  device_id INTEGER NOT NULL,
  time      TEXT    NOT NULL,
  user_id   TEXT    NOT NULL,
  status    INTEGER NOT NULL,
  verify    INTEGER NOT NULL,
  place     TEXT    NOT NULL DEFAULT '', -- the device's index; '' where it has none
  PRIMARY KEY (device_id, time, user_id, status, verify, place)
) STRICT, WITHOUT ROWID;
INSERT INTO punch_0002 (device_id, time, user_id, status, verify) SELECT device_id, time, user_id, status, verify FROM punch;
DROP TABLE punch;
ALTER TABLE punch_0002 RENAME TO punch;

-- Changes that further records may still complete, in their order.
CREATE TABLE draft (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id INTEGER NOT NULL,
  due_ms    INTEGER NOT NULL, -- closes by itself
  body      BLOB    NOT NULL  -- sealed
) STRICT;
CREATE INDEX draft_device ON draft (device_id);

-- Changes told without an operation time in the last two minutes.
CREATE TABLE untimed (
  device_id   INTEGER NOT NULL,
  user_id     TEXT    NOT NULL,
  kinds       TEXT    NOT NULL,
  received_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX untimed_user ON untimed (device_id, user_id, received_ms);

-- What devices are to do, each row until it is answered or given up.
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

-- Users that came for an order that compares.
CREATE TABLE order_user (
  order_id INTEGER NOT NULL,
  user_id  TEXT    NOT NULL,
  PRIMARY KEY (order_id, user_id)
) STRICT, WITHOUT ROWID;

-- Pieces of an answer that comes in several requests.
CREATE TABLE part (
  device_id   INTEGER NOT NULL,
  order_id    TEXT    NOT NULL,
  table_name  TEXT    NOT NULL,
  place       INTEGER NOT NULL, -- from 1
  received_ms INTEGER NOT NULL,
  body        BLOB    NOT NULL, -- sealed
  PRIMARY KEY (device_id, order_id, table_name, place)
) STRICT;
