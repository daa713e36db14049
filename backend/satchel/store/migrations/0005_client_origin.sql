-- The browser extension that a token was given to, as its Origin names it; NULL: a program, which has none.
ALTER TABLE client ADD COLUMN origin TEXT;
CREATE INDEX client_origin ON client (origin) WHERE origin IS NOT NULL AND revoked_at IS NULL;
