"""persist-queue has no worker of its own: get, run, ack; its blocking `get` waits as it ships."""

from benchhit import hit
from queues import open_

queue = open_()
while True:
    got = queue.get(raw=True)
    hit(got["data"])
    queue.ack(id=got["pqid"])
