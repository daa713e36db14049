-- Turns that the user forgot, so that a page that is loaded again, or an import repeated, does not bring them back. `key`
-- and `place` (the conversation it stood in) are keyed hashes (store/forgotten_turns.py), as are those in `words`, by which
-- the turn is known under another id: [hash, letters, by_site] in JSON for what it said and for each of its revisions,
-- `letters` being how many there were, `by_site` whether the site gave the turn an id. `conversation` and `message` are the ids that they had here. No content.
CREATE TABLE forgotten_turn (
  key           BLOB PRIMARY KEY,
  place         BLOB NOT NULL,
  words         TEXT NOT NULL,
  profile       INTEGER NOT NULL REFERENCES profile (pk),
  site          TEXT NOT NULL,
  conversation  TEXT NOT NULL,
  message       TEXT NOT NULL,
  forgotten_at  INTEGER NOT NULL,
  sent_again    INTEGER NOT NULL DEFAULT 0,
  sent_again_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX forgotten_turn_of_place ON forgotten_turn (place);
CREATE INDEX forgotten_turn_of_conversation ON forgotten_turn (conversation);

-- Each forgetting: its receipt, which names no content. `profiles` and `counts` are JSON. The last columns are filled
-- when the files have been read; NULL in `bytes_found` with `finished_at` set: it was cut off, and finished unread.
CREATE TABLE forgetting (
  pk           INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT NOT NULL UNIQUE,
  way          TEXT NOT NULL CHECK (way IN ('memory', 'conversation', 'site', 'span', 'name', 'everything')),
  profiles     TEXT NOT NULL,
  counts       TEXT NOT NULL,
  forgotten_at INTEGER NOT NULL,
  finished_at  INTEGER,
  files        INTEGER,
  bytes_read   INTEGER,
  bytes_found  INTEGER,
  rewritten    INTEGER NOT NULL DEFAULT 0,
  backups      INTEGER NOT NULL DEFAULT 0,
  elsewhere    INTEGER NOT NULL DEFAULT 0
) STRICT;
