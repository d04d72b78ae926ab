import benchproducer
from firm.queue import schema
from tasks import noop, runtime

benchproducer.run_sync(
    lambda: None,
    lambda _, sent: noop.enqueue(sent),
    setup=lambda: schema.create_all(runtime.engine),
)
