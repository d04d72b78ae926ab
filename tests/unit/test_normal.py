"""Normalisation: what counts as the same request; the form of a form is itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion import Image, Normalize
from stanchion.domain.keys import Json, canonical
from stanchion.domain.normal import normalized
from stanchion.engine.spec import TaskSpec
from stanchion.payload import Codec
from tests.unit.test_keys import values

rules = st.builds(Normalize, trim=st.booleans(), lower=st.booleans(), squeeze=st.booleans())
some_rules = st.dictionaries(st.sampled_from("ab"), rules)
# Few characters, so that texts often differ in what is normalised alone.
texts = st.text("aAbB \t\n\u3000İςΣß", max_size=6)
arguments = st.dictionaries(st.sampled_from("ab"), values | texts | st.lists(texts, max_size=2))


def spec(function: Any, **given: Any) -> TaskSpec:
    codec = Codec(function, name="t", takes_context=False)
    return TaskSpec(name="t", function=function, codec=codec, takes_context=False, **given)


async def draw(prompt: str, scale: float = 1.0, tags: set[str] | None = None, size: int = 64) -> str:
    return f"{prompt}{scale}{tags}{size}"


def keys(*requests: bytes, **given: Any) -> set[bytes]:
    made = spec(draw, **given)
    return {made.keys(request, "d")[0] for request in requests}


@pytest.mark.parametrize(
    ("rule", "form"),
    [
        (Normalize(), " An  Orc\n"),
        (Normalize(trim=True), "An  Orc"),
        (Normalize(lower=True), " an  orc\n"),
        (Normalize(squeeze=True), " An Orc "),
        (Normalize(trim=True, lower=True, squeeze=True), "an orc"),
    ],
)
def test_a_rule_brings_a_text_to_its_form(rule: Normalize, form: str) -> None:
    assert rule.text(" An  Orc\n") == form


@given(rules, st.text() | texts)
def test_the_form_of_a_form_is_itself(rule: Normalize, text: str) -> None:
    assert rule.text(rule.text(text)) == rule.text(text)


@given(some_rules, arguments)
def test_normalising_twice_changes_no_more(given_rules: dict[str, Normalize], given_arguments: dict[str, Json]) -> None:
    once = normalized(given_arguments, given_rules)
    assert normalized(once, given_rules) == once
    assert once.keys() == given_arguments.keys()


@given(some_rules, arguments, arguments)
def test_keys_are_equal_where_the_normalised_arguments_are(
    given_rules: dict[str, Normalize], one: dict[str, Json], two: dict[str, Json]
) -> None:
    async def any_two(a: Any = None, b: Any = None) -> None:
        raise NotImplementedError

    made = spec(any_two, normalize=given_rules)
    forms = [canonical(normalized({"a": None, "b": None} | each, given_rules)) for each in (one, two)]
    found = [made.keys(canonical(each), "d")[0] for each in (one, two)]
    assert (found[0] == found[1]) is (forms[0] == forms[1])


def test_texts_inside_lists_and_objects_are_normalised_too() -> None:
    rule = Normalize(lower=True)
    assert rule.value({"Name": ["A", {"x": "B"}], "n": 1}) == {"Name": ["a", {"x": "b"}], "n": 1}


def test_defaults_are_filled_in() -> None:
    assert len(keys(b'{"prompt":"x"}', b'{"size":64,"prompt":"x","scale":1.0}', b'{"prompt":"x","tags":null}')) == 1


def test_a_float_is_its_number() -> None:
    assert len(keys(b'{"prompt":"x","scale":1}', b'{"prompt":"x","scale":1.0}', b'{"prompt":"x","scale":1e0}')) == 1
    assert len(keys(b'{"prompt":"x","scale":0.0}', b'{"prompt":"x","scale":-0.0}', b'{"prompt":"x","scale":0}')) == 1
    assert len(keys(b'{"prompt":"x","scale":0.1}', b'{"prompt":"x","scale":0.10000000000000001}')) == 1
    assert len(keys(b'{"prompt":"x","scale":1e22}', b'{"prompt":"x","scale":10000000000000000000000}')) == 1
    assert len(keys(b'{"prompt":"x","scale":0.1}', b'{"prompt":"x","scale":0.2}')) == 2


def test_a_set_has_no_order() -> None:
    assert len(keys(b'{"prompt":"x","tags":["a","b","c"]}', b'{"prompt":"x","tags":["c","b","a"]}')) == 1


def test_what_no_rule_covers_stays_apart() -> None:
    assert len(keys(b'{"prompt":"An orc"}', b'{"prompt":"an orc"}')) == 2
    assert len(keys(b'{"prompt":"An orc"}', b'{"prompt":"an orc"}', normalize={"prompt": Normalize(lower=True)})) == 1


def test_the_version_of_a_task_is_in_its_keys() -> None:
    assert spec(draw).keys(b'{"prompt":"x"}', "d") != spec(draw, version=2).keys(b'{"prompt":"x"}', "d")


def test_only_the_key_of_the_cache_can_be_shared_by_all() -> None:
    shared = spec(draw, share="all")
    (own, common), (other, same) = (shared.keys(b'{"prompt":"x"}', tenant) for tenant in ("d", "e"))
    assert (common == same, own == other, own == common) == (True, False, False)
    own, cached = spec(draw).keys(b'{"prompt":"x"}', "d")
    assert own == cached


def test_files_are_compared_by_their_content() -> None:
    async def edit(image: Image) -> None:
        raise NotImplementedError

    made = spec(edit)
    one, two, three = (
        made.keys(b'{"image":{"$artifact":{"kind":"image","sha256":"%s","size":1}}}' % digest, "d")[0]
        for digest in (b"a" * 64, b"a" * 64, b"b" * 64)
    )
    assert (one == two, one == three) == (True, False)
