import benchsync
from benchhit import hit

from huey import SqliteHuey

fsync = {"full": True, "off": False}.get(benchsync.SYNC)
huey = SqliteHuey("bench", filename=benchsync.PATH, fsync=fsync)


@huey.task()
def noop(sent):
    hit(sent)
