-- Memories that cannot both hold where neither a date nor a word decides: the user is asked. `memory` was said after
-- `other` was known.
CREATE TABLE contradiction (
  memory INTEGER NOT NULL REFERENCES memory (pk) ON DELETE CASCADE,
  other  INTEGER NOT NULL REFERENCES memory (pk) ON DELETE CASCADE,
  PRIMARY KEY (memory, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX contradiction_of_other ON contradiction (other);
CREATE INDEX memory_resolving ON memory (profile) WHERE status = 'resolving';

-- When the user last changed a memory, or said that it stands (ms); NULL: never.
ALTER TABLE memory ADD COLUMN looked_at INTEGER;
UPDATE memory SET looked_at =
  (SELECT max(h.changed_at) FROM history h WHERE h.memory = memory.pk AND h.changed_by = 'user');

-- Few messages are ever edited: what rests on those is found from them.
CREATE INDEX message_edited ON message (pk) WHERE revision > 1;

-- What a list of memories is ordered and narrowed by: a page far down is counted off here, without a look at the rows.
CREATE INDEX memory_in_order ON memory
  (pinned, updated_at, status, profile, kind, said_by, valid_from, observations);
