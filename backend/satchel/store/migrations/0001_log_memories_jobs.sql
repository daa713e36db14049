-- Times are milliseconds since the epoch. Rows that travel carry the device that wrote them and a hybrid
-- logical clock (store/clock.py); `change` orders them for readers that follow along.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE profile (
  pk         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE conversation (
  pk          INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  profile     INTEGER NOT NULL REFERENCES profile (pk),
  site        TEXT NOT NULL,
  external_id TEXT NOT NULL,
  title       TEXT,
  url         TEXT,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  device      TEXT NOT NULL,
  clock       TEXT NOT NULL,
  UNIQUE (profile, site, external_id)
) STRICT;
CREATE INDEX conversation_by_external_id ON conversation (external_id);
CREATE INDEX conversation_by_time ON conversation (profile, updated_at);

-- `key` is what makes a message the same one when it is sent again: the site's id, or the hash of its words
-- and which occurrence of them it is. An edited message keeps its row; what it said before is in `revision`.
CREATE TABLE message (
  pk           INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  conversation INTEGER NOT NULL REFERENCES conversation (pk) ON DELETE CASCADE,
  key          TEXT NOT NULL,
  external_id  TEXT,
  role         TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'system', 'tool')),
  content      TEXT NOT NULL,
  hash         BLOB NOT NULL,
  revision     INTEGER NOT NULL DEFAULT 1,
  sent_at      INTEGER,
  received_at  INTEGER NOT NULL,
  time         INTEGER NOT NULL,
  position     INTEGER NOT NULL,
  masked       INTEGER NOT NULL DEFAULT 0,
  device       TEXT NOT NULL,
  clock        TEXT NOT NULL,
  UNIQUE (conversation, key)
) STRICT;
CREATE INDEX message_in_order ON message (conversation, time, position);

CREATE TABLE revision (
  message     INTEGER NOT NULL REFERENCES message (pk) ON DELETE CASCADE,
  revision    INTEGER NOT NULL,
  role        TEXT NOT NULL,
  content     TEXT NOT NULL,
  hash        BLOB NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (message, revision)
) STRICT, WITHOUT ROWID;

-- `by_hand`, bits: 1 the user wrote it; else what the user changed of what extraction had said: 2 the text, 4 the key,
-- 8 the tags, 16 anything else but the pin.
CREATE TABLE memory (
  pk             INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  profile        INTEGER NOT NULL REFERENCES profile (pk),
  kind           TEXT NOT NULL CHECK (kind IN ('fact', 'event', 'explicit_preference', 'implicit_preference', 'instruction')),
  text           TEXT NOT NULL,
  key            TEXT NOT NULL,
  tags           TEXT NOT NULL DEFAULT '[]',
  reasoning      TEXT,
  said_by        TEXT NOT NULL CHECK (said_by IN ('user', 'assistant', 'document')),
  status         TEXT NOT NULL CHECK (status IN ('candidate', 'active', 'resolving', 'superseded', 'archived')),
  event_time     INTEGER,
  valid_from     INTEGER NOT NULL,
  valid_to       INTEGER,
  observations   INTEGER NOT NULL DEFAULT 1,
  pinned         INTEGER NOT NULL DEFAULT 0,
  by_hand        INTEGER NOT NULL DEFAULT 0,
  model          TEXT,
  prompt_version TEXT,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  device         TEXT NOT NULL,
  clock          TEXT NOT NULL
) STRICT;
CREATE INDEX memory_listed ON memory (profile, status, kind, updated_at);

CREATE TABLE source (
  memory   INTEGER NOT NULL REFERENCES memory (pk) ON DELETE CASCADE,
  message  INTEGER NOT NULL REFERENCES message (pk) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  start    INTEGER NOT NULL,
  "end"    INTEGER NOT NULL,
  quote    TEXT NOT NULL,
  PRIMARY KEY (memory, message, revision, start, "end")
) STRICT, WITHOUT ROWID;
CREATE INDEX source_of_message ON source (message);

-- What a memory said before each change, and who changed it.
CREATE TABLE history (
  memory     INTEGER NOT NULL REFERENCES memory (pk) ON DELETE CASCADE,
  version    INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  changed_by TEXT NOT NULL CHECK (changed_by IN ('user', 'extraction')),
  change     TEXT NOT NULL,
  kind       TEXT NOT NULL,
  text       TEXT NOT NULL,
  key        TEXT NOT NULL,
  tags       TEXT NOT NULL,
  status     TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to   INTEGER,
  PRIMARY KEY (memory, version)
) STRICT, WITHOUT ROWID;

-- Durable work. A running job holds a lease; one whose lease has run out is anybody's again.
CREATE TABLE job (
  pk           INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  conversation INTEGER NOT NULL REFERENCES conversation (pk) ON DELETE CASCADE,
  status       TEXT NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'failed')),
  attempts     INTEGER NOT NULL DEFAULT 0,
  run_after    INTEGER NOT NULL,
  lease        TEXT,
  lease_until  INTEGER,
  error        TEXT,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX job_due ON job (status, run_after);

CREATE TABLE job_message (
  job     INTEGER NOT NULL REFERENCES job (pk) ON DELETE CASCADE,
  message INTEGER NOT NULL REFERENCES message (pk) ON DELETE CASCADE,
  PRIMARY KEY (job, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_of_message ON job_message (message);

CREATE TABLE job_memory (
  job    INTEGER NOT NULL REFERENCES job (pk) ON DELETE CASCADE,
  memory INTEGER NOT NULL REFERENCES memory (pk) ON DELETE CASCADE,
  PRIMARY KEY (job, memory)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_memory_by_memory ON job_memory (memory);

CREATE TABLE client (
  id           TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  token_hash   BLOB NOT NULL UNIQUE,
  scopes       TEXT NOT NULL,
  profiles     TEXT,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at   INTEGER
) STRICT;

-- What was offered to a chat, and which of it really went in.
CREATE TABLE injection (
  pk          INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  profile     INTEGER NOT NULL REFERENCES profile (pk),
  site        TEXT,
  external_id TEXT,
  created_at  INTEGER NOT NULL,
  inserted_at INTEGER
) STRICT;
CREATE INDEX injection_into ON injection (profile, external_id) WHERE inserted_at IS NOT NULL;

CREATE TABLE injection_hit (
  injection INTEGER NOT NULL REFERENCES injection (pk) ON DELETE CASCADE,
  hit       TEXT NOT NULL,
  inserted  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (injection, hit)
) STRICT, WITHOUT ROWID;
CREATE INDEX injection_hit_by_hit ON injection_hit (hit);

-- Words: text segmented by store/segment.py. FTS5's own secure-delete is what takes a deleted row's words out of
-- its shadow tables (SQLite's secure_delete alone leaves them there).
CREATE VIRTUAL TABLE turn_words USING fts5 (text, tokenize = "porter unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE memory_words USING fts5 (text, tokenize = "porter unicode61 remove_diacritics 2");
INSERT INTO turn_words (turn_words, rank) VALUES ('secure-delete', 1);
INSERT INTO memory_words (memory_words, rank) VALUES ('secure-delete', 1);

-- Meaning: what still waits for its vector. The vec0 tables are made by store/vectors.py, which knows the
-- embedding model's dimensions.
CREATE TABLE unindexed (
  type TEXT NOT NULL CHECK (type IN ('turn', 'memory')),
  pk   INTEGER NOT NULL,
  PRIMARY KEY (type, pk)
) STRICT, WITHOUT ROWID;

-- A deletion leaves its id and clock, never content.
CREATE TABLE tombstone (
  id         TEXT PRIMARY KEY,
  type       TEXT NOT NULL CHECK (type IN ('conversation', 'message', 'memory')),
  profile    INTEGER NOT NULL REFERENCES profile (pk),
  deleted_at INTEGER NOT NULL,
  device     TEXT NOT NULL,
  clock      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each thing that changed, at its latest place in the order: a follower reads on from its cursor.
CREATE TABLE change (
  seq   INTEGER PRIMARY KEY AUTOINCREMENT,
  type  TEXT NOT NULL,
  id    TEXT NOT NULL,
  clock TEXT NOT NULL,
  UNIQUE (id)
) STRICT;

CREATE TRIGGER conversation_added AFTER INSERT ON conversation BEGIN
  INSERT OR REPLACE INTO change (type, id, clock) VALUES ('conversation', new.id, new.clock);
END;
CREATE TRIGGER conversation_changed AFTER UPDATE OF clock ON conversation BEGIN
  INSERT OR REPLACE INTO change (type, id, clock) VALUES ('conversation', new.id, new.clock);
END;
CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
  INSERT OR REPLACE INTO change (type, id, clock) VALUES ('message', new.id, new.clock);
END;
CREATE TRIGGER message_changed AFTER UPDATE OF clock ON message BEGIN
  INSERT OR REPLACE INTO change (type, id, clock) VALUES ('message', new.id, new.clock);
END;
CREATE TRIGGER memory_added AFTER INSERT ON memory BEGIN
  INSERT OR REPLACE INTO change (type, id, clock) VALUES ('memory', new.id, new.clock);
END;
CREATE TRIGGER memory_changed AFTER UPDATE OF clock ON memory BEGIN
  INSERT OR REPLACE INTO change (type, id, clock) VALUES ('memory', new.id, new.clock);
END;
CREATE TRIGGER tombstone_added AFTER INSERT ON tombstone BEGIN
  INSERT OR REPLACE INTO change (type, id, clock) VALUES ('tombstone', new.id, new.clock);
END;
