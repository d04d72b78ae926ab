"""Numbers that pages tell are those of the code."""

from __future__ import annotations

import pytest

from stanchion.domain import outcome, policy
from stanchion.domain.cache import DEFAULT_TTL
from stanchion.domain.units import DAY
from stanchion.engine import attempt, cache, cells, context, supervise, work
from stanchion.server import limits
from stanchion.settings import Settings
from stanchion.stores.sqlite import connection, store, watching, writer
from tests.docs.pages import DOCS

FAST, SLOW = policy.PROFILES["fast"], policy.PROFILES["default"]
KEPT = policy.Retention()
BOUNDS = limits.Limits()

TOLD = [
    ("explanation/decisions/inline-commits.md", f"is below {writer.INLINE_SECONDS * 1000:g} ms"),
    ("explanation/decisions/inline-commits.md", f"up to {store.SMALL} items"),
    ("explanation/decisions/sampled-charts.md", f"more than {watching.SAMPLE:,}"),
    ("explanation/decisions/sampled-charts.md", f"at most {watching.MAX_SAMPLES} jobs"),
    ("explanation/durability.md", f"{store.BALLAST >> 20} MiB"),
    ("explanation/durability.md", ".".join(str(int(part)) for part in f"{connection.OLDEST_SQLITE:09,}".split(","))),
    ("explanation/group-commit.md", f"less than {writer.INLINE_SECONDS * 1000:g} ms"),
    ("explanation/group-commit.md", f"up to {writer._ROUND} of them"),
    ("explanation/group-commit.md", f"up to {work.PREFETCH} jobs"),
    ("explanation/group-commit.md", f"less than {work.SHORT * 1000:g} ms, a worker"),
    ("explanation/liveness.md", f"| `fast` | {FAST.beat // 1000} s | {FAST.lease // 1000} s |"),
    ("explanation/liveness.md", f"| `default` | {SLOW.beat // 1000} s | {SLOW.lease // 1000} s |"),
    ("how-to/cache.md", f"`cache_bytes` ({Settings().cache_bytes // 1_000_000_000} GB)"),
    ("how-to/cache.md", f"`cache_memory` ({Settings().cache_memory // 1_000_000} MB)"),
    ("how-to/cache.md", f"answer for {DEFAULT_TTL // DAY} days"),
    ("how-to/cancel-retry-snooze.md", f"is killed {cells.SOFT_CANCEL:g} s later"),
    ("how-to/progress-and-files.md", f"up to {context.MAX_PREVIEW >> 10} KiB"),
    ("how-to/queues.md", f"completed and cancelled ones after {KEPT.completed // DAY} days"),
    ("how-to/queues.md", f"failed ones after {KEPT.failed // DAY}."),
    ("how-to/retries.md", f"{outcome.PARK_FOR // 1000} s\n  where it says nothing"),
    ("how-to/retries.md", f"After {outcome.MAX_PARKS} such waits"),
    ("how-to/troubleshooting.md", f"{BOUNDS.streams:,} streams are open, or {BOUNDS.streams_per_key:,} with one key"),
]


@pytest.mark.parametrize(("page", "words"), TOLD)
def test_a_number_on_a_page_is_the_codes(page: str, words: str) -> None:
    assert " ".join(words.split()) in " ".join((DOCS / page).read_text("utf-8").split())


def test_words_for_numbers_are_the_codes() -> None:
    assert (cache.PATIENCE, cache.PAUSE) == (0.25, 5), "cache.md says a quarter of a second, and five seconds"
    assert cache.GATHER == 2, "result-cache.md says two seconds"
    assert supervise.UNRESPONSIVE == 5, "liveness.md says five seconds"
    assert work.POLL == 2, "datagram-wake-ups.md, liveness.md and production.md say two seconds"
    assert 1 / context.PROGRESS_EVERY == 4, "progress-and-files.md says four a second"
    assert 1 / context.PREVIEW_EVERY == 2, "progress-and-files.md says two a second"
    assert attempt.COARSE >= 1000, "shorter timeouts are exact"
    assert connection.BUSY_MS == 5_000, "troubleshooting.md says five seconds"
