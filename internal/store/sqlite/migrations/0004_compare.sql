-- 0004_compare.sql
-- Access control terminals report no deletions: their users are queried and compared
-- now and then. Code of 0003 compares only when an operator says so.
ALTER TABLE device ADD COLUMN compared_ms INTEGER NOT NULL DEFAULT 0; -- last ordered; 0: never
