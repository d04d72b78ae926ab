import benchproducer
from queues import open_

benchproducer.run_sync(open_, lambda queue, sent: queue.put(sent))
