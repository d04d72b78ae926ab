"""Sorted numbers in blocks agree with a sorted list."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from stanchion.stores.sqlite import ranks
from stanchion.stores.sqlite.ranks import Numbers

if TYPE_CHECKING:
    import pytest

numbers = st.integers(0, 60)


@given(st.lists(numbers, unique=True), st.lists(st.tuples(st.booleans(), numbers)))
def test_numbers_agree_with_a_sorted_list(start: list[int], changes: list[tuple[bool, int]]) -> None:
    with_small_blocks = ranks._BLOCK
    ranks._BLOCK = 3
    try:
        kept, found = set(start), Numbers(sorted(start))
        for add, number in changes:
            (kept.add if add else kept.discard)(number)
            (found.add if add else found.discard)(number)
        line = sorted(kept)
        assert len(found) == len(line)
        assert [found.below(number) for number in range(62)] == [bisect_left(line, number) for number in range(62)]
        assert found.below_all(range(62)) == {number: bisect_left(line, number) for number in range(62)}
    finally:
        ranks._BLOCK = with_small_blocks


def test_a_block_that_grows_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "_BLOCK", 4)
    found = Numbers([])
    for number in range(100):
        found.add(number * 7 % 100)
    assert max(map(len, found._blocks)) <= 9
    assert found.below(50) == 50
