import benchproducer
from stores import open_

mine = benchproducer.per_thread(open_)
benchproducer.run_sync(mine, lambda _, sent: mine().enqueue({"type": "noop", "sent": sent}))
