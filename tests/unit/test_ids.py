"""UUIDv7."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.ids import made_at, packed, unpacked, uuid7

instants = st.integers(0, 2**48 - 1)
chances = st.binary(min_size=10, max_size=16)


@given(instants, chances)
def test_an_id_is_a_version_seven_uuid(now: int, random: bytes) -> None:
    parsed = uuid.UUID(uuid7(now, random))
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert str(parsed) == uuid7(now, random)


def test_the_rfcs_example_holds() -> None:
    chance = bytes.fromhex("cc3" + "1" + "8c4" + "dc0c0c07398f" + "0")
    assert uuid7(0x017F22E279B0, chance) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(instants, chances, instants, chances)
def test_ids_sort_by_the_time_they_were_made(early: int, one: bytes, late: int, two: bytes) -> None:
    if early < late:
        assert uuid7(early, one) < uuid7(late, two)


def spread(bits: int) -> bytes:
    """74 bits as the random bytes that carry them: the variant leaves 2 of its digit's 4."""
    return bytes.fromhex(f"{bits >> 62:03x}{bits >> 60 & 3:x}{bits & (1 << 60) - 1:015x}0")


@given(instants, st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_every_bit_of_chance_tells(now: int, one: int, two: int) -> None:
    assert (uuid7(now, spread(one)) == uuid7(now, spread(two))) is (one == two)


@given(instants, chances)
def test_an_id_carries_its_time(now: int, random: bytes) -> None:
    assert made_at(uuid7(now, random)) == now


@given(instants, chances)
def test_packing_is_undone_by_unpacking(now: int, random: bytes) -> None:
    job_id = uuid7(now, random)
    assert len(packed(job_id)) == 16
    assert unpacked(packed(job_id)) == job_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 36,
        "0" * 36,
        "0" * 32,
        "017f22e279b0-7cc3-98c4-dc0c0c07398f-",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
    ],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"id|hex"):
        packed(text)
