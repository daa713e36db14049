-- Whose vectors there are. `model` is the hash of the embedding model's file; `slot` says which tables hold its vectors
-- (store/vector_sets.py). One set answers; while another model's is being filled, two stand side by side. A set knows
-- the changes after `since`: what is older was said of a set that is gone.
CREATE TABLE vector_set (
  slot       INTEGER PRIMARY KEY CHECK (slot IN (0, 1)),
  model      TEXT NOT NULL UNIQUE,
  dimensions INTEGER NOT NULL,
  answers    INTEGER NOT NULL UNIQUE CHECK (answers IN (0, 1)),
  since      INTEGER NOT NULL
) STRICT;
INSERT INTO vector_set
  SELECT 0, substr(value, 1, instr(value, ':') - 1), CAST(substr(value, instr(value, ':') + 1) AS INTEGER), 1, 0
  FROM meta WHERE name = 'embedder' AND EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'turn_vector');
DELETE FROM meta WHERE name = 'embedder' AND EXISTS (SELECT 1 FROM vector_set);

ALTER TABLE vector_change ADD COLUMN slot INTEGER NOT NULL DEFAULT 0;

-- What still waits for its vector, in each set.
ALTER TABLE unindexed RENAME TO unindexed_before;
CREATE TABLE unindexed (
  slot INTEGER NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('turn', 'memory')),
  pk   INTEGER NOT NULL,
  PRIMARY KEY (slot, type, pk)
) STRICT, WITHOUT ROWID;
INSERT INTO unindexed SELECT 0, type, pk FROM unindexed_before;
DROP TABLE unindexed_before;
