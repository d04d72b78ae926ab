"""Content keys: the same request has one key, and tenants never share one by accident."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.domain.keys import Json, canonical, content_key, fingerprint, named_key

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
names = st.text(max_size=8)


def shuffled(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: shuffled(item) for name, item in reversed(value.items())}
    if isinstance(value, list):
        return [shuffled(item) for item in value]
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        (1.0, "1"),
        (-0.0, "0"),
        (1.5, "1.5"),
        ({"n": {"y": 2.0, "x": 1e3}}, '{"n":{"x":1000,"y":2}}'),
        ((1, (2.0,)), "[1,[2]]"),
        ("ü€\n", '"ü€\\n"'),
        (1e300, "1e+300"),
    ],
)
def test_a_value_has_one_text(value: Json, text: str) -> None:
    assert canonical(value) == text.encode()


@given(values)
def test_the_order_of_members_does_not_matter(value: Json) -> None:
    assert canonical(shuffled(value)) == canonical(value)


@given(values)
def test_the_text_means_the_value(value: Json) -> None:
    assert json.loads(canonical(value).decode("utf-8", "surrogatepass")) == value


@given(values)
def test_the_text_of_the_text_is_the_text(value: Json) -> None:
    text = canonical(value)
    assert canonical(json.loads(text.decode("utf-8", "surrogatepass"))) == text


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf")])
def test_what_json_cannot_say_is_refused(odd: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical({"x": [odd]})


def test_true_is_not_one() -> None:
    assert canonical(True) != canonical(1)


def key(task: str = "t", version: int = 1, arguments: Json = None, tenant: str = "d") -> bytes:
    return content_key(task, version, arguments, tenant=tenant)


def test_a_key_depends_on_every_part() -> None:
    keys = [key(), key("u"), key(version=2), key(arguments={"x": 1}), key(tenant="e")]
    assert len(set(keys)) == len(keys)
    assert {len(one) for one in keys} == {32}


@given(names, names, names, names)
def test_tenants_and_tasks_never_run_together(tenant: str, task: str, other: str, another: str) -> None:
    if (tenant, task) != (other, another):
        assert key(task, tenant=tenant) != key(another, tenant=other)


@given(names, names)
def test_a_key_shared_by_all_knows_no_tenant(one: str, two: str) -> None:
    assert content_key("t", 1, [], tenant=one, share="all") == content_key("t", 1, [], tenant=two, share="all")


@given(names, names)
def test_a_key_with_a_tenant_is_never_the_key_of_all(tenant: str, task: str) -> None:
    if tenant:
        assert content_key(task, 1, [], tenant=tenant) != content_key(task, 1, [], tenant=tenant, share="all")


def test_a_named_key_is_a_tenants_and_a_tasks_own() -> None:
    keys = {named_key(tenant, task, name) for tenant in "ab" for task in "tu" for name in "xy"}
    assert len(keys) == 8
    assert named_key("a", "t", "x") in keys


def test_a_named_key_is_no_content_key() -> None:
    assert named_key("a", "t", "x") != content_key("t", 1, {"dedup_key": "x"}, tenant="a")


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_parts_of_a_fingerprint_never_run_together(one: list[bytes], two: list[bytes]) -> None:
    assert (fingerprint(*one) == fingerprint(*two)) is (one == two)
