import benchproducer
import benchsync

from litequeue import LiteQueue


def make():
    queue = LiteQueue(filename=benchsync.PATH)
    benchsync.set_on(queue.conn)
    return queue


mine = benchproducer.per_thread(make)


def bulk(_, sents):
    # The library has no bulk call; its own transaction around its own put is what a user would write.
    queue = mine()
    with queue.transaction(mode="IMMEDIATE"):
        for sent in sents:
            queue.put(str(sent))


benchproducer.run_sync(lambda: None, lambda _, sent: mine().put(str(sent)), bulk=bulk)
