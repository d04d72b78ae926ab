"""What fits into a tree, and who gets which device."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain import resources
from stanchion.domain.limits import ENDLESS
from stanchion.domain.resources import Hold, fit, left, listed, pick, room, visible

devices = st.dictionaries(st.sampled_from(["0", "1", "2", "10"]), st.integers(-1, 4), min_size=1)


@given(devices, st.integers(1, 4), st.sampled_from(["", "", "0", "9"]))
def test_as_many_jobs_can_be_given_devices_as_are_said_to_fit(free: dict[str, int], weight: int, device: str) -> None:
    count, spots = 0, dict(free)
    while fit(spots, device, weight) > 0:
        holds = pick(spots, "gpu", device, weight)
        assert sum(hold.weight for hold in holds) == weight
        assert len({hold.device for hold in holds}) == (1 if device else weight)
        for hold in holds:
            spots[hold.device] -= hold.weight
            assert spots[hold.device] >= 0
        count += 1
    assert count == fit(free, device, weight)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=3))
def test_all_that_a_job_asks_for_must_fit_into_one_tree(trees: list[tuple[int, int]]) -> None:
    gpus = {f"w{number}": {"": gpu} for number, (gpu, _) in enumerate(trees)}
    memory = {f"w{number}": {"": vram} for number, (_, vram) in enumerate(trees)}
    asks = (("resource:gpu", 1), ("resource:vram", 3))
    found, key = room(asks, {"gpu": gpus, "vram": memory})
    assert found == sum(min(gpu, vram // 3) for gpu, vram in trees)
    assert key in dict(asks)
    for number, (gpu, vram) in enumerate(trees):
        assert room(asks, {"gpu": gpus, "vram": memory}, f"w{number}")[0] == min(gpu, vram // 3)
    assert room(asks, {"gpu": gpus, "vram": memory}, "stranger")[0] == 0


def test_what_is_shared_is_one_count_beside_what_a_tree_has() -> None:
    spots = {"slots": {"": {"": 3}}, "gpu": {"a": {"0": 1, "1": 1}, "b": {"0": 4}}}
    asks = (("resource:gpu", 1), ("resource:slots", 1))
    assert room(asks, spots) == (3, "resource:slots")
    assert room(asks, spots, "a") == (2, "resource:gpu")
    assert room(asks, spots, "b") == (3, "resource:slots")
    assert room((), spots) == (ENDLESS, "")


def test_what_is_held_of_what_is_gone_counts_for_nobody() -> None:
    held = [("a", "0", 1), ("gone", "0", 1), ("a", "7", 1)]
    assert left({"a": {"0": 2}}, held) == {"a": {"0": 1}}
    assert left({"": {"": 5}}, held) == {"": {"": 2}}


def test_resources_are_listed_with_what_is_held_of_them() -> None:
    found = listed(
        {"gpu": {"a": {"0": 2}}},
        {"gpu": {"a": {"0": 1}}},
        {"gpu": 3, "old": 1},
        {"resource:gpu": 2, "resource:gpu:0": 1, "resource:none": 0, "resource:far": 4},
    )
    assert found == [
        resources.Resource("far", 0, 0, 4),
        resources.Resource("gpu", 2, 1, 3),
        resources.Resource("old", 0, 1, 0),
    ]


def test_a_process_sees_its_gpus_none_or_what_it_always_saw() -> None:
    mine = (Hold("gpu", "1", 1), Hold("gpu", "10", 1), Hold("vram_gb", "", 8))
    assert visible(mine, {"gpu:1": 1, "gpu:10": 1}) == "1,10"
    assert visible((), {"gpu:1": 1}) == ""
    assert visible((), {"vram_gb": 1}) is None
    assert visible((), {}) is None
