"""DBOS does not start with the SQLite of Debian 12 (3.40): give it the one of pysqlite3-binary."""

import sqlite3
import sys

if sqlite3.sqlite_version_info < (3, 45):
    import pysqlite3

    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2

import benchsync
from sqlalchemy import event
from sqlalchemy.engine import Engine


@event.listens_for(Engine, "connect")
def _durability(connection, _record):
    benchsync.set_on(connection)
