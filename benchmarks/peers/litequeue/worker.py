"""litequeue has no worker of its own: pop, run, done; 10 ms apart when empty."""

import time

import benchsync
from benchhit import hit

from litequeue import LiteQueue

queue = LiteQueue(filename=benchsync.PATH)
benchsync.set_on(queue.conn)
while True:
    message = queue.pop()
    if message is None:
        time.sleep(0.01)
        continue
    hit(int(message.data))
    queue.done(message.message_id, claim_id=message.claim_id)
