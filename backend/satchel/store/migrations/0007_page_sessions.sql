-- A browser in which the dashboard was opened. `token_hash` is then of the secret in its cookie, and this of the one that
-- its pages keep: cookies go to every port of this machine, pages' storage stays with the daemon's own origin.
-- NULL: a program or an extension, whose token stands in a header.
ALTER TABLE client ADD COLUMN page_key_hash BLOB;
