"""Sorted numbers in blocks agree with a sorted list."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from stanchion.stores.sqlite import ranks, uneven
from stanchion.stores.sqlite.ranks import Numbers
from stanchion.stores.sqlite.uneven import Uneven

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


STEPS = {1: 1, 2: 5, 3: 7}


@given(
    st.dictionaries(st.integers(0, 60), st.sampled_from([1, 2, 3, 4])),
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from([None, 1, 2, 3, 4])), max_size=60),
)
def test_a_line_of_jobs_that_cost_differently_agrees_with_adding_them_up(
    start: dict[int, int], changes: list[tuple[int, int | None]]
) -> None:
    """Lane 4 waits for a limit: its jobs are there and move nothing."""
    with_large_blocks = uneven.BLOCK
    uneven.BLOCK = 3
    try:
        kept, found = dict(start), Uneven(start.items())
        for seq, lane in changes:
            if lane is None:
                kept.pop(seq, None)
                found.discard(seq)
            else:
                kept.setdefault(seq, lane)
                found.add(seq, lane)
        view, tag, tags = found.view(100, STEPS), 100, {}
        for seq in sorted(kept):
            if kept[seq] in STEPS:
                tags[seq] = tag
                tag += STEPS[kept[seq]]
        assert {seq: view.tag(seq) for seq in tags} == tags
        assert (view.jobs, list(view.tags())) == (len(tags), [tags[seq] for seq in sorted(tags)])
        assert +found.lanes == Counter(kept.values())
        for asked in range(95, tag + 5):
            assert view.ahead(asked) == sum(other < asked for other in tags.values())
    finally:
        uneven.BLOCK = with_large_blocks
