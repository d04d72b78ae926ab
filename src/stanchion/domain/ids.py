"""UUIDv7: ids that sort by the time they were made (RFC 9562, section 5.7)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stanchion.domain.units import Instant, JobId

_VARIANT: Final = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
_TEXT_LENGTH: Final = 36
_LENGTH: Final = 16


def uuid7(now: Instant, random: bytes) -> JobId:
    """Return a UUIDv7 in text form.

    Args:
        now: The wall clock in ms since the epoch.
        random: At least 10 random bytes; 74 bits of them are used.
    """
    chance = random.hex()
    return f"{_front(now)}{chance[:3]}-{_VARIANT[chance[3]]}{chance[4:7]}-{chance[7:19]}"


@lru_cache(maxsize=8)
def _front(now: Instant) -> str:
    """Return what ids made within a millisecond share."""
    at = f"{now & 0xFFFFFFFFFFFF:012x}"
    return f"{at[:8]}-{at[8:]}-7"


def packed(job_id: JobId) -> bytes:
    """Return the 16 bytes of an id; `ValueError` where the text is not one."""
    value = bytes.fromhex(job_id.replace("-", "")) if len(job_id) == _TEXT_LENGTH else b""
    if len(value) != _LENGTH or job_id[8:24:5] != "----":
        message = f"{job_id!r} is not a job id"
        raise ValueError(message)
    return value


def digits(job_id: JobId) -> str:
    """Return the 32 digits of an id; of what is no id, a text that no id has."""
    return job_id.replace("-", "") if len(job_id) == _TEXT_LENGTH and job_id[8:24:5] == "----" else ""


def unpacked(value: bytes) -> JobId:
    """Return the text form of 16 bytes."""
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def made_at(job_id: JobId) -> Instant:
    """Return the time that an id carries, in ms since the epoch."""
    return int(job_id[:8] + job_id[9:13], 16)
