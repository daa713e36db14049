"""SQLite through apsw: migrations, the log, memories, jobs, full text, vectors, changes."""

from satchel.store.store import Store, Tx

__all__ = ["Store", "Tx"]
