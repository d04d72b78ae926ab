import benchsync
from pulse_queue import Store, store

if benchsync.PRAGMA:
    store.PRAGMAS = tuple((name, benchsync.PRAGMA if name == "synchronous" else value) for name, value in store.PRAGMAS)


def open_():
    return Store(benchsync.PATH)
