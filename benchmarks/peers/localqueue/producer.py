import benchproducer
from queues import open_

benchproducer.run_sync(
    open_,
    lambda queue, sent: queue.put({"sent": sent}),
    bulk=lambda queue, sents: queue.put_many([{"sent": sent} for sent in sents]),
)
