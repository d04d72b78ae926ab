"""What every handler calls first: one fixed-size record per started job, appended to a file in memory."""

import os
import struct
import time

import benchsync

_RECORD = struct.Struct("<QQQ")
_files: dict[int, int] = {}


def hit(sent: int = 0) -> None:
    """Write when the job was sent (ns, 0 if not asked), when it started (ns) and which worker ran it."""
    started = time.time_ns()
    pid = os.getpid()
    file = _files.get(pid)
    if file is None:
        # One descriptor a process: a forked worker must not share its parent's.
        file = os.open(os.environ["BENCH_HITS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        _files[pid] = file
    worker = int(os.environ.get("BENCH_WORKER", "0"))
    os.write(file, _RECORD.pack(sent, started, worker))
    if benchsync.PROBING:
        benchsync.report("worker")
