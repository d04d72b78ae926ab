"""persist-queue's SQLiteAckQueue: one object on one directory, shared by the process's threads."""

from pathlib import Path

import benchsync
from persistqueue import SQLiteAckQueue


def open_():
    path = Path(benchsync.PATH)
    queue = SQLiteAckQueue(str(path.parent), db_file_name=path.name, multithreading=True)
    for connection in {queue._getter, queue._putter}:
        benchsync.set_on(connection)
    return queue
