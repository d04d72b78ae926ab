"""How values are spread, in little room: a quantile sketch that forgets, merges and scales.

Values fall into buckets whose bounds grow by a constant factor, so that every quantile is right to within 2 % of its
value, whatever the spread. Old values lose weight with a half-life. A sketch of a task's durations takes a few hundred
bytes and answers in microseconds.

Source:
    Masson, Rim and Lee, DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees, VLDB 2019.
    Cormode, Shkapenyuk, Srivastava and Xu, Forward Decay, ICDE 2009: new values weigh more instead of old ones less.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from math import ceil, exp2, isfinite, log
from typing import TYPE_CHECKING, Final, NamedTuple

from stanchion.domain.units import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stanchion.domain.units import Instant, Millis

ACCURACY: Final = 0.02
"""A quantile is at most this share of itself away from the exact one."""
MAX_BUCKETS: Final = 512
"""The lowest buckets fall together when there are more; 512 span a factor of 8·10⁸ between lowest and highest value."""
LEAST: Final = 0.001
"""Smaller values count as this one."""
MOST: Final = 1e15
"""Larger values count as this one."""
HALF_LIFE: Final[Millis] = 3 * DAY
SLICES: Final = 128
"""How many equally likely values stand for a sketch where values are drawn from it."""

_GAMMA: Final = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GAMMA: Final = log(_GAMMA)
_MIDDLE: Final = 2 / (_GAMMA + 1)
_FAR: Final = 60
"""So many half-lives on, the weights are written anew, long before they overflow."""
_FORMAT: Final = 1
_HEAD: Final = struct.Struct(">Bqqd")
_WEIGHT: Final = struct.Struct(">f")
_BYTE: Final = 0x7F
"""Seven bits of a number go into a byte; the eighth says that more follow."""
_BEYOND: Final = 2_000
"""No bucket has a number so far from 0."""
_NEGLIGIBLE: Final = 1e-9
_FEWEST: Final = 1e-6
"""Buckets of less weight, as of the newest value, are dropped when a sketch is encoded."""


class Moments(NamedTuple):
    """The mean, the variance and the third central moment of what a sketch has seen."""

    mean: float
    variance: float
    third: float


@dataclass(frozen=True)
class Sketch:
    """A spread of positive values; every change gives a new sketch.

    Attributes:
        half_life: After so many ms a value weighs half.
        landmark: The instant at which a new value weighs 1.
        counts: The weight in each bucket, by the bucket's number, at the landmark.
        total: The sum of the values, weighted likewise; so the mean is exact.
        newest: The instant of the newest value.
    """

    half_life: Millis = HALF_LIFE
    landmark: Instant = 0
    counts: Mapping[int, float] = field(default_factory=dict[int, float])
    total: float = 0.0
    newest: Instant = 0

    def added(self, values: Iterable[float], now: Instant) -> Sketch:
        """Return the sketch with more values, seen now.

        Args:
            values: Numbers from 0 on, in any unit; durations are in ms.
            now: Not before the values already there, or it counts as their instant.

        Raises:
            ValueError: A value is negative or no number.
        """
        listed = list(values)
        if not listed:
            return self
        base = self if self.counts else replace(self, landmark=now, newest=now)
        now = max(now, base.newest)
        if now - base.landmark > _FAR * base.half_life:
            base = base.rebased(now)
        weight = exp2((now - base.landmark) / base.half_life)
        counts = dict(base.counts)
        total = base.total
        for value in listed:
            if not (value >= 0 and isfinite(value)):
                message = f"a sketch takes finite numbers from 0 on, not {value!r}"
                raise ValueError(message)
            kept = min(max(value, LEAST), MOST)
            bucket = bucket_of(kept)
            counts[bucket] = counts.get(bucket, 0.0) + weight
            total += kept * weight
        return replace(base, counts=_bounded(counts), total=total, newest=now)

    def merged(self, other: Sketch) -> Sketch:
        """Return what one sketch would be that had seen the values of both.

        Raises:
            ValueError: They forget at different speeds.
        """
        if self.half_life != other.half_life:
            message = f"sketches of half-lives {self.half_life} and {other.half_life} ms cannot be merged"
            raise ValueError(message)
        if not (self.counts and other.counts):
            return self if self.counts else other
        landmark = max(self.newest, other.newest)
        mine, theirs = self.rebased(landmark), other.rebased(landmark)
        counts = dict(mine.counts)
        for bucket, weight in theirs.counts.items():
            counts[bucket] = counts.get(bucket, 0.0) + weight
        return replace(mine, counts=_bounded(counts), total=mine.total + theirs.total, newest=landmark)

    def scaled(self, factor: float) -> Sketch:
        """Return the sketch of the values times a factor above 0; adds at most another 2 % to a quantile's error."""
        shift = round(log(factor) / _LOG_GAMMA)
        counts = {bucket + shift: weight for bucket, weight in self.counts.items()}
        return replace(self, counts=counts, total=self.total * factor)

    def weighing(self, weight: float, now: Instant) -> Sketch:
        """Return the same spread with another weight, as of now."""
        if not self.counts:
            return self
        base = self.rebased(max(now, self.newest))
        factor = weight / base.mass
        counts = {bucket: count * factor for bucket, count in base.counts.items()}
        return replace(base, counts=counts, total=base.total * factor)

    def rebased(self, landmark: Instant) -> Sketch:
        """Return the same sketch with its weights told as of another instant."""
        factor = exp2((self.landmark - landmark) / self.half_life)
        if factor == 0.0:
            return Sketch(half_life=self.half_life, landmark=landmark, newest=landmark)
        counts = {bucket: scaled for bucket, weight in self.counts.items() if (scaled := weight * factor)}
        return replace(self, landmark=landmark, counts=counts, total=self.total * factor)

    def weight(self, now: Instant) -> float:
        """Return how many fresh values the sketch is worth now."""
        return self.mass * exp2((self.landmark - max(now, self.newest)) / self.half_life)

    @cached_property
    def mass(self) -> float:
        """The weight of everything, as of the landmark."""
        return sum(self.counts.values())

    @cached_property
    def mean(self) -> float:
        """The mean, exact; 0 of an empty sketch."""
        return self.total / self.mass if self.counts else 0.0

    @cached_property
    def moments(self) -> Moments:
        """The mean, and the central moments to within the accuracy of the buckets."""
        if not self.counts:
            return Moments(0.0, 0.0, 0.0)
        points = [(value_of(bucket), weight / self.mass) for bucket, weight in self.counts.items()]
        centre = sum(value * share for value, share in points)
        variance = sum((value - centre) ** 2 * share for value, share in points)
        third = sum((value - centre) ** 3 * share for value, share in points)
        return Moments(self.mean, variance, third)

    def quantile(self, q: float) -> float:
        """Return the value that a share `q` of all values does not exceed; 0 of an empty sketch."""
        if not self.counts:
            return 0.0
        numbers, sums = self._ordered
        at = bisect_left(sums, q * sums[-1])
        return value_of(numbers[min(at, len(numbers) - 1)])

    def beyond(self, floor: float) -> tuple[float, ...]:
        """Return `SLICES` equally likely values among those that exceed a floor, by how much, lowest first.

        Within a bucket values count as evenly spread. Empty where the sketch has nothing above the floor.
        """
        pieces = [
            (max(low, floor), high, self.counts[number] * (high - max(low, floor)) / (high - low))
            for number in self._ordered[0]
            if (high := _GAMMA**number) > floor
            for low in (high / _GAMMA,)
        ]
        mass = sum(weight for _, _, weight in pieces)
        if mass <= self.mass * _NEGLIGIBLE:
            return ()
        found: list[float] = []
        passed = 0.0
        for low, high, weight in pieces:
            while len(found) < SLICES and (at := mass * (len(found) + 0.5) / SLICES) <= passed + weight:
                found.append(low + (high - low) * (at - passed) / weight - floor)
            passed += weight
        return (*found, *[pieces[-1][1] - floor] * (SLICES - len(found)))

    @cached_property
    def slices(self) -> tuple[float, ...]:
        """`SLICES` equally likely values that stand for all: the mean of each slice, lowest first.

        Empty where the sketch is.
        """
        return tuple(self._sliced()) if self.counts else ()

    def _sliced(self) -> Iterator[float]:
        """Deal the buckets out into slices of equal weight; their mean is the sketch's."""
        size = self.mass / SLICES
        numbers, _ = self._ordered
        rest = [(value_of(number), self.counts[number]) for number in reversed(numbers)]
        scale = self.total / sum(value * weight for value, weight in rest)
        value, weight = rest.pop()
        for _ in range(SLICES):
            need, sum_ = size, 0.0
            while weight < need and rest:
                sum_ += value * weight
                need -= weight
                value, weight = rest.pop()
            sum_ += value * need
            weight -= need
            yield scale * sum_ / size

    @cached_property
    def _ordered(self) -> tuple[list[int], list[float]]:
        """The buckets' numbers, lowest first, and the weights summed up to each."""
        numbers = sorted(self.counts)
        return numbers, list(accumulate(self.counts[number] for number in numbers))

    def encode(self) -> bytes:
        """Return the sketch as bytes: 25 for the head, then five or six for each bucket."""
        fresh = self.rebased(self.newest)
        parts = [_HEAD.pack(_FORMAT, fresh.half_life, fresh.newest, fresh.total)]
        last = 0
        for bucket in sorted(fresh.counts):
            if fresh.counts[bucket] < _FEWEST:
                continue
            parts.append(_varint(_zigzag(bucket - last)))
            parts.append(_WEIGHT.pack(fresh.counts[bucket]))
            last = bucket
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> Sketch:
        """Return the sketch that was encoded.

        Raises:
            ValueError: These are not the bytes of a sketch, or of a later format.
        """
        try:
            form, half_life, newest, total = _HEAD.unpack_from(data)
            counts = dict(_read(data)) if form == _FORMAT and half_life > 0 else None
        except (struct.error, IndexError) as error:
            message = f"{len(data)} bytes are not a whole sketch"
            raise ValueError(message) from error
        if counts is None or not isfinite(total):
            message = f"a sketch of format {form} cannot be read; this version knows format {_FORMAT}"
            raise ValueError(message)
        return cls(half_life=half_life, landmark=newest, counts=counts, total=total, newest=newest)


def bucket_of(value: float) -> int:
    """Return the number of the bucket that a value falls into."""
    return ceil(log(value) / _LOG_GAMMA)


def value_of(bucket: int) -> float:
    """Return the value that stands for a bucket: no value of it is further away than the accuracy."""
    return _MIDDLE * _GAMMA**bucket


def _bounded(counts: dict[int, float]) -> dict[int, float]:
    """Let the lowest buckets fall together where there are too many: what is long matters more than what is short."""
    if len(counts) <= MAX_BUCKETS:
        return counts
    numbers = sorted(counts)
    kept = numbers[-MAX_BUCKETS]
    return {kept: sum(counts[number] for number in numbers[: -MAX_BUCKETS + 1])} | {
        number: counts[number] for number in numbers[-MAX_BUCKETS + 1 :]
    }


def _zigzag(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > _BYTE:
        out.append(number & _BYTE | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read(data: bytes) -> Iterator[tuple[int, float]]:
    at, bucket = _HEAD.size, 0
    while at < len(data):
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & _BYTE) << shift
            shift += 7
            if byte <= _BYTE:
                break
        bucket += number // 2 if number % 2 == 0 else -(number + 1) // 2
        (weight,) = _WEIGHT.unpack_from(data, at)
        at += _WEIGHT.size
        if not (abs(bucket) < _BEYOND and isfinite(weight) and weight > 0):
            message = f"no bucket {bucket} of weight {weight}"
            raise ValueError(message)
        yield bucket, weight
