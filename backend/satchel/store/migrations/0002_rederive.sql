-- Where the words of forgotten memories stood: places, never content. Extraction leaves these words alone. They go
-- with their message.
CREATE TABLE forgotten (
  message  INTEGER NOT NULL REFERENCES message (pk) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  start    INTEGER NOT NULL,
  "end"    INTEGER NOT NULL,
  PRIMARY KEY (message, revision, start, "end")
) STRICT, WITHOUT ROWID;

-- Deriving a profile's memories again from its log. `stamp`: the models and wordings that read it. `preview` names the
-- list of changes that was shown. `generation` rises when something is forgotten: what was worked out before that
-- may hold its words, and is not written any more.
CREATE TABLE rederivation (
  pk         INTEGER PRIMARY KEY AUTOINCREMENT,
  profile    INTEGER NOT NULL UNIQUE REFERENCES profile (pk),
  state      TEXT NOT NULL CHECK (state IN ('reading', 'ready', 'applying', 'applied')),
  stamp      TEXT NOT NULL DEFAULT '',
  preview    TEXT,
  generation INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- What one turn of the user gave when it was read again: drafts as JSON (NULL: it could not be read), and their vectors
-- one behind the other.
CREATE TABLE rederived_turn (
  message      INTEGER PRIMARY KEY REFERENCES message (pk) ON DELETE CASCADE,
  run          INTEGER NOT NULL REFERENCES rederivation (pk) ON DELETE CASCADE,
  conversation INTEGER NOT NULL,
  revision     INTEGER NOT NULL,
  drafts       TEXT,
  vectors      BLOB NOT NULL
) STRICT;
CREATE INDEX rederived_turn_of_conversation ON rederived_turn (conversation);
CREATE INDEX rederived_turn_of_run ON rederived_turn (run);

-- The preview: memories before and after as JSON. `memory` is an id, NULL for one that is not there yet; `clock` its
-- memory's when the preview was made.
CREATE TABLE rederived_change (
  pk      INTEGER PRIMARY KEY,
  run     INTEGER NOT NULL REFERENCES rederivation (pk) ON DELETE CASCADE,
  change  TEXT NOT NULL
          CHECK (change IN ('new', 'reworded', 'status_changed', 'sources_changed', 'withdrawn')),
  memory  TEXT,
  clock   TEXT,
  before  TEXT,
  after   TEXT NOT NULL,
  outcome TEXT CHECK (outcome IN ('applied', 'skipped')),
  reason  TEXT
) STRICT;
CREATE INDEX rederived_change_of_run ON rederived_change (run, outcome);

-- Forgetting reaches what was derived again too. The turns of a conversation are read with those before them: all of
-- its drafts go, not the forgotten turn's alone.
CREATE TRIGGER memory_forgotten BEFORE DELETE ON memory BEGIN
  INSERT OR IGNORE INTO forgotten SELECT message, revision, start, "end" FROM source WHERE memory = old.pk;
  DELETE FROM rederived_turn WHERE conversation IN
    (SELECT m.conversation FROM source s JOIN message m ON m.pk = s.message WHERE s.memory = old.pk);
  DELETE FROM rederived_change WHERE run IN (SELECT pk FROM rederivation WHERE profile = old.profile);
  UPDATE rederivation SET generation = generation + 1, preview = NULL,
    state = iif(state = 'applied', state, 'reading') WHERE profile = old.profile;
END;
CREATE TRIGGER message_forgotten BEFORE DELETE ON message BEGIN
  DELETE FROM rederived_turn WHERE conversation = old.conversation;
  DELETE FROM rederived_change WHERE run IN (SELECT r.pk FROM rederivation r
    JOIN conversation c ON c.profile = r.profile WHERE c.pk = old.conversation);
  UPDATE rederivation SET generation = generation + 1, preview = NULL,
    state = iif(state = 'applied', state, 'reading')
    WHERE profile = (SELECT profile FROM conversation WHERE pk = old.conversation);
END;
