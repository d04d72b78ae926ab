"""Sprites: the same words give the same pixels, and the file is a real PNG."""

from __future__ import annotations

import hashlib
import struct
import zlib

import pytest

from stanchion.demo.sprites import PALETTES, STAGES, Canvas, Step, png, render
from stanchion.demo.sprites.palette import rgb

PROMPTS = ["an orc warrior", "a health potion", "a lush grass tile", "something nobody has a word for"]


def drawn(prompt: str, size: int = 32, seed: int = 0, palette: str | None = None) -> Canvas:
    return list(render(prompt, size=size, seed=seed, palette=palette))[-1].pixels


@pytest.mark.parametrize(
    ("prompt", "size", "seed", "digest"),
    [
        ("an orc warrior", 64, 1, "48420ee714900a04"),
        ("a health potion", 32, 2, "897152ab289666fc"),
        ("a cobblestone path tile", 48, 3, "6b829b5fdce573a4"),
    ],
)
def test_the_pixels_of_a_prompt_never_change(prompt: str, size: int, seed: int, digest: str) -> None:
    # The pixels are pinned, not the file: how zlib packs them differs from build to build.
    assert hashlib.sha256(drawn(prompt, size, seed).rgba).hexdigest()[:16] == digest


def test_the_same_call_gives_the_same_bytes() -> None:
    assert png(drawn("a red dragon", 64, 5)) == png(drawn("a red dragon", 64, 5))


def test_prompts_seeds_sizes_and_palettes_all_make_a_difference() -> None:
    calls = [("a red slime", 32, 0, None), ("a blue slime", 32, 0, None), ("a red slime", 32, 1, None),
             ("a red slime", 48, 0, None), ("a red slime", 32, 0, "frost")]  # fmt: skip
    assert len({bytes(drawn(*call).rgba) for call in calls}) == len(calls)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_steps_come_in_order_and_each_has_a_picture_of_its_own(prompt: str) -> None:
    steps: list[Step] = list(render(prompt, size=32))
    assert [step.stage for step in steps] == list(STAGES)
    assert [step.index for step in steps] == [1, 2, 3, 4, 5, 6, 7]
    assert {step.length for step in steps} == {7}
    assert all((step.pixels.width, step.pixels.height) == (32, 32) for step in steps)
    assert steps[2].pixels.rgba != steps[3].pixels.rgba


@pytest.mark.parametrize("size", [8, 16, 33, 64, 128, 256])
def test_the_file_is_a_valid_png(size: int) -> None:
    pixels = drawn("a castle with red roofs", size)
    data = png(pixels)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks: list[tuple[bytes, bytes]] = []
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(kind + body),)
        chunks.append((kind, body))
        at += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[0][1]) == (size, size, 8, 6, 0, 0, 0)
    raw = zlib.decompress(chunks[1][1])
    stride = size * 4 + 1
    rows = [raw[start : start + stride] for start in range(0, len(raw), stride)]
    assert {row[0] for row in rows} == {0}
    assert b"".join(row[1:] for row in rows) == pixels.rgba


def test_a_sprite_has_a_clear_background_and_a_tile_has_none() -> None:
    assert drawn("a red slime").at(0, 0)[3] == 0
    assert set(drawn("a brick wall tile").rgba[3::4]) == {255}


def test_a_tile_meets_its_copy_without_a_seam() -> None:
    # Sand changes slowly, so opposite edges must be as near as neighbours are.
    tile = drawn("a desert sand tile", 64)

    def step(one: int, other: int) -> float:
        return sum(abs(tile.at(one, y)[0] - tile.at(other, y)[0]) for y in range(64)) / 64

    inner = [step(x, x + 1) for x in range(63)]
    assert step(63, 0) <= max(inner)


def test_a_palette_bounds_every_opaque_pixel() -> None:
    for name, colours in PALETTES.items():
        known = {rgb(colour) for colour in colours}
        canvas = drawn("a knight with a red cape", 32, palette=name)
        seen = {canvas.at(x, y) for x in range(32) for y in range(32)}
        assert {pixel[:3] for pixel in seen if pixel[3] == 255} <= known


@pytest.mark.parametrize(
    ("prompt", "rather"),
    [
        ("an orc warrior", "warrior"),
        ("a slime king", "a king"),
        ("a golden key", "a silver key"),
        ("a knight with a shield", "a shield with a knight"),
    ],
)
def test_words_decide_what_is_drawn(prompt: str, rather: str) -> None:
    assert drawn(prompt).rgba != drawn(rather).rgba


def test_a_named_colour_is_the_subjects() -> None:
    def blueness(prompt: str) -> int:
        canvas = drawn(prompt, 48)
        seen = [canvas.at(x, y) for x in range(48) for y in range(48)]
        return sum(blue - red for red, _, blue, alpha in seen if alpha == 255)

    assert blueness("a blue slime") > 0 > blueness("a red slime")
    assert blueness("a blue dragon with an orange wing") > 0 > blueness("a red dragon with a blue eye")


@pytest.mark.parametrize("size", [7, 0, -1, 257])
def test_a_size_out_of_range_is_refused_at_the_call(size: int) -> None:
    with pytest.raises(ValueError, match="from 8 to 256"):
        render("an orc", size=size)


@pytest.mark.parametrize("prompt", ["", "  \n "])
def test_an_empty_prompt_is_refused_at_the_call(prompt: str) -> None:
    with pytest.raises(ValueError, match="prompt is empty"):
        render(prompt)


def test_an_unknown_palette_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ValueError, match="candy, classic, dusk"):
        render("an orc", palette="plaid")


def test_a_canvas_has_four_bytes_for_each_pixel() -> None:
    with pytest.raises(ValueError, match="needs 16 bytes"):
        Canvas(2, 2, bytearray(15))
