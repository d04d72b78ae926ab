"""What the kernel knows: whose CPU time was used, how much memory processes hold, what machine this is.

Linux only: everything is read from `/proc`.
"""

import ctypes
import os
import platform
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 2**20
FOREIGN_LIMIT = 0.12
"""A repetition in which others used more than this share of all CPU is disturbed."""

_PR_SET_CHILD_SUBREAPER = 36
_BUSY_BELOW = 0.2
_CALM_LOOKS = 2


def adopt_orphans() -> None:
    """Become the parent of what our children leave behind, so that its CPU time is counted as ours."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass(frozen=True)
class Usage:
    """What a tree of processes has used and holds: CPU seconds, MiB now, MiB at its most, processes."""

    cpu: float
    rss: float
    peak: float
    processes: int


def tree(session: int) -> Usage:
    """Return what the processes of a session use; CPU includes children that it has already waited for."""
    cpu = rss = peak = 0.0
    count = 0
    for pid, fields in _session(session):
        # utime and stime, then the same of waited-for children (proc_pid_stat, fields 14 to 17).
        cpu += sum(int(value) for value in fields[11:15]) / TICKS
        count += 1
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError:
            continue
        sizes = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if line.startswith("Vm")}
        rss += int(sizes.get("VmRSS", 0)) * 1024 / MIB
        peak += int(sizes.get("VmHWM", 0)) * 1024 / MIB
    return Usage(cpu, rss, peak, count)


def _session(session: int) -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            yield int(entry.name), fields


def _cpu_times() -> tuple[float, float]:
    """Return the machine's busy and total CPU seconds since boot; stolen time counts as busy."""
    with Path("/proc/stat").open(encoding="utf-8") as file:
        values = [int(value) for value in file.readline().split()[1:9]]
    total = sum(values)
    return (total - values[3] - values[4]) / TICKS, total / TICKS


class Share:
    """Measures the share of all CPU since it was made that was not ours; our children must be waited for."""

    def __init__(self) -> None:
        self._busy, self._total = _cpu_times()
        self._own = _own_cpu()
        self.own = 0.0

    def foreign(self) -> float:
        """Return the share, 0 to 1, and keep our own CPU seconds in `own`."""
        busy, total = _cpu_times()
        self.own = _own_cpu() - self._own
        return max(0.0, round((busy - self._busy - self.own) / max(0.01, total - self._total), 3))


def _own_cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def wait_for_calm(patience: float) -> None:
    """Wait at most `patience` seconds until the CPUs are nearly idle."""
    deadline = time.monotonic() + patience
    calm = 0
    while calm < _CALM_LOOKS and time.monotonic() < deadline:
        before = _cpu_times()
        time.sleep(0.25)
        after = _cpu_times()
        share = (after[0] - before[0]) / max(0.01, after[1] - before[1])
        calm = calm + 1 if share < _BUSY_BELOW else 0


def describe(work: Path) -> dict[str, str]:
    """Return what a reader must know about the machine."""
    return {
        "cpu": f"{os.cpu_count()} x {_cpu_name()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, {_distribution()}",
        "disk": f"{_filesystem(work)}, {fdatasync_rate(work):,.0f} fdatasync/s of 512 bytes",
    }


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _filesystem(path: Path) -> str:
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    holding = [mount for mount in mounts if path.resolve().is_relative_to(mount[1])]
    return max(holding, key=lambda mount: len(mount[1]))[2] if holding else "unknown file system"


def fdatasync_rate(work: Path, times: int = 200) -> float:
    """Return how many 512-byte writes a second reach the disk of `work`, one after the other."""
    path = work / "fdatasync"
    file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.pwrite(file, bytes(MIB), 0)
        os.fsync(file)
        started = time.perf_counter()
        for index in range(times):
            os.pwrite(file, bytes(512), index * 512)
            os.fdatasync(file)
        return times / (time.perf_counter() - started)
    finally:
        os.close(file)
        path.unlink()
