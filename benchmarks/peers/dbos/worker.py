import os
import signal
import threading

from app import DBOS

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
DBOS.launch()
limit = os.environ.get("BENCH_CONCURRENCY")
DBOS.register_queue("bench", **({"worker_concurrency": int(limit)} if limit else {}))
stop.wait()
DBOS.destroy()
