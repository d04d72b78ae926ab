"""The store in one SQLite file: WAL, FULL, group commit, several processes."""

from stanchion.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
