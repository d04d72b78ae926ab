import benchproducer
from tasks import noop

benchproducer.run_sync(lambda: None, lambda _, sent: noop(sent))
