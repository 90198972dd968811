-- 0003_device_upkeep.sql
-- Alarms of devices, and devices that are removed. Code of 0002 raises no alarms; it
-- shows a removed device under the name that its row has, and nothing calls by that.

-- What an operator should look at, each incident once.
CREATE TABLE alarm (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id INTEGER NOT NULL,
  what      TEXT    NOT NULL, -- names the incident
  at_ms     INTEGER NOT NULL,
  text      TEXT    NOT NULL, -- in words, no credential
  ended_ms  INTEGER NOT NULL DEFAULT 0 -- 0: open
) STRICT;
CREATE UNIQUE INDEX alarm_open ON alarm (device_id, what) WHERE ended_ms = 0;

-- The row of a removed device stays for the history of its deliveries. Its serial is
-- then a text that no device can have, and its stg_id NULL, so that both may be used again.
ALTER TABLE device ADD COLUMN removed_ms INTEGER NOT NULL DEFAULT 0;     -- 0: in use
ALTER TABLE device ADD COLUMN removed_serial TEXT NOT NULL DEFAULT '';   -- serial before
ALTER TABLE device ADD COLUMN removed_stg_id TEXT NOT NULL DEFAULT '';   -- stg_id before
