-- What changed in the vectors, in order: indexes held in memory or beside the database catch up from here.
CREATE TABLE vector_change (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  type    TEXT NOT NULL CHECK (type IN ('turn', 'memory')),
  pk      INTEGER NOT NULL,
  profile INTEGER NOT NULL
) STRICT;

-- What is a candidate for any question.
CREATE INDEX memory_always_offered ON memory (profile) WHERE pinned OR kind = 'instruction';
