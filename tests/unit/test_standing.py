"""How many jobs start before others agrees with putting all of them in order."""

from __future__ import annotations

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.standing import Even, ahead, scaled

tenants = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from([1, 2, 3, 7]), st.integers(1, 6)), min_size=1, max_size=6
)


def line(found: list[tuple[int, int, int]]) -> list[Even]:
    scale, first = scaled({share: (turn, 100 - share) for share, (turn, _, _) in enumerate(found)})
    return [Even(first[share], step * scale, jobs) for share, (_, step, jobs) in enumerate(found)]


@given(tenants)
def test_the_jobs_stand_in_the_order_of_their_tags_and_then_of_when_their_tenants_joined(
    found: list[tuple[int, int, int]],
) -> None:
    jobs = [
        (turn + k * step, 100 - share, share, k)
        for share, (turn, step, count) in enumerate(found)
        for k in range(count)
    ]
    lines = line(found)
    tags = [lines[share].turn + k * lines[share].step for _, _, share, k in sorted(jobs)]
    assert ahead(lines, tags) == list(range(len(tags)))
    assert [ahead(lines, [tag])[0] for tag in tags] == list(range(len(tags)))


@given(tenants, st.lists(st.integers(-5, 500), max_size=40))
def test_any_tags_in_any_order(found: list[tuple[int, int, int]], asked: list[int]) -> None:
    lines = line(found)
    tags = sorted(one.turn + k * one.step for one in lines for k in range(one.jobs))
    assert len(set(tags)) == len(tags)
    assert ahead(lines, asked) == [bisect_left(tags, tag) for tag in asked]
