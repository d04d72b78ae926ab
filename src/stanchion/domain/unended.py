"""What attempts that still run say about durations: they take longer than they have run.

Durations are learned when attempts end, so that what is short is learned first. Of few attempts those that run are a
good part, and leaving them out makes every estimate lean short.

Source:
    Kaplan and Meier, Nonparametric Estimation from Incomplete Observations, JASA 1958; and Efron, The Two Sample
    Problem with Censored Data, 1967, for the form used here: each observation that has not ended gives its weight to
    all that lie beyond it.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp2
from typing import TYPE_CHECKING, Final

from stanchion.domain.sketch import Sketch, bucket_of, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanchion.domain.units import Instant, Millis

MATTERS: Final = 0.01
"""Where the attempts that run are fewer than such a share of those that were seen, they are left out."""
_TAIL: Final = tuple((1 - (step + 0.5) / 16) ** (-1 / 3) for step in range(16))
"""Beyond all ever seen: by such factors longer, equally likely (a Pareto spread of index 3)."""


def completed(spread: Sketch, elapsed: Sequence[Millis], now: Instant) -> Sketch:
    """Return a spread that knows that attempts run, each for so many ms; as if each of them weighed one seen now."""
    open_ = sorted(value for value in elapsed if value > 0)
    if not spread.counts or len(open_) < MATTERS * spread.weight(now):
        return spread
    weight = exp2((max(now, spread.newest) - spread.landmark) / spread.half_life)
    rest = spread.mass + weight * len(open_)
    counts: dict[int, float] = {}
    factor, passed = 1.0, 0
    for bucket in sorted(spread.counts):
        while passed < len(open_) and open_[passed] < value_of(bucket):
            rest -= weight
            factor *= 1 + weight / rest
            passed += 1
        rest -= spread.counts[bucket]
        counts[bucket] = spread.counts[bucket] * factor
    for value in open_[passed:]:
        each = weight * factor / len(_TAIL)
        for beyond in _TAIL:
            bucket = bucket_of(value * beyond)
            counts[bucket] = counts.get(bucket, 0.0) + each
    total = sum(value_of(bucket) * count for bucket, count in counts.items())
    return replace(spread, counts=counts, total=total)
