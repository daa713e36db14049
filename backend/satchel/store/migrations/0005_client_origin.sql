-- The browser extension that a token was given to, as its Origin names it; NULL: a program, which has none.
ALTER TABLE client ADD COLUMN origin TEXT;
-- Whether `origin` says whose the token is. 0: it was made before origins were kept, and the first that writes with it is
-- taken for its owner (api/guard/origin.py).
ALTER TABLE client ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
CREATE INDEX client_origin ON client (origin) WHERE origin IS NOT NULL AND revoked_at IS NULL;
