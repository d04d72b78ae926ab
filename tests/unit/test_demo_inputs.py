"""The demo reads lists of prompts, and says what is wrong with a row without stopping."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from stanchion.demo.inputs import InputError, Row, read_rows

EXAMPLE = Path(__file__).parents[2] / "examples" / "sprites" / "prompts.csv"


def written(folder: Path, text: str, name: str = "prompts.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_the_example_and_the_shipped_list_are_the_same_file() -> None:
    assert files("stanchion.demo").joinpath("prompts.csv").read_bytes() == EXAMPLE.read_bytes()


def test_the_example_has_only_good_rows_and_no_two_prompts_alike() -> None:
    rows = list(read_rows(EXAMPLE))
    assert [row for row in rows if row.problem] == []
    assert len(rows) >= 220
    assert len({row.prompt for row in rows}) == len(rows)
    assert all(16 <= row.size <= 128 for row in rows)


def test_columns_go_by_their_header_and_have_defaults(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffSeed,prompt,palette\r\n7,a red slime,frost\r\n,an orc,\r\n")
    assert list(read_rows(path)) == [
        Row(2, "a red slime", 64, 7, "frost", None),
        Row(3, "an orc", 64, 0, None, None),
    ]


def test_a_row_counts_from_the_line_where_it_starts(tmp_path: Path) -> None:
    path = written(tmp_path, 'prompt,size\n"a tree\nin bloom",32\n\nan orc,16\n')
    assert [(row.line, row.prompt) for row in read_rows(path)] == [(2, "a tree in bloom"), (5, "an orc")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",32,1,", "prompt is missing"),
        ("an orc,big,1,", "size is 'big'"),
        ("an orc,4,1,", "from 8 to 256"),
        ("an orc,1024,1,", "from 8 to 256"),
        ("an orc,32,x,", "seed is 'x'"),
        ("an orc,32,1,plaid", "palette is 'plaid'"),
        ("an orc, a big one,32,1,,", "too many"),
    ],
)
def test_a_bad_row_names_its_line_and_does_not_stop_the_rest(tmp_path: Path, row: str, said: str) -> None:
    path = written(tmp_path, f"prompt,size,seed,palette\n{row}\na slime,32,1,\n")
    bad, good = read_rows(path)
    assert bad.problem is not None
    assert bad.problem.startswith("line 2: ")
    assert said in bad.problem
    assert good == Row(3, "a slime", 32, 1, None, None)


def test_an_unclosed_quote_is_a_problem_of_its_row(tmp_path: Path) -> None:
    (bad,) = read_rows(written(tmp_path, 'prompt\n"an orc\n'))
    assert bad.line == 2
    assert bad.problem is not None
    assert "close every quote" in bad.problem


def test_a_column_that_nobody_knows_is_a_problem(tmp_path: Path) -> None:
    (bad,) = read_rows(written(tmp_path, "prompt,colour\nan orc,red\n"))
    assert bad.problem is not None
    assert "colour" in bad.problem


def test_json_lines_are_read_by_their_ending(tmp_path: Path) -> None:
    text = '{"prompt": "an orc", "size": 32}\n\n{"prompt": \n[1]\n{"prompt": "a slime", "size": 3.5}\n{"prompt": 5}\n'
    rows = list(read_rows(written(tmp_path, text, "prompts.jsonl")))
    assert rows[0] == Row(1, "an orc", 32, 0, None, None)
    assert [(row.line, (row.problem or "").split(":")[0]) for row in rows[1:]] == [
        (3, "line 3"),
        (4, "line 4"),
        (5, "line 5"),
        (6, "line 6"),
    ]
    assert "not JSON" in (rows[1].problem or "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "not UTF-8"),
        (b"prompt\n\0\0", "is not text"),
        (b"name,size\nan orc,32\n", "no column 'prompt'"),
    ],
)
def test_a_file_that_cannot_be_a_list_is_refused_at_the_call(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "prompts.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_rows(path)
    assert caught.value.remedy
    assert isinstance(caught.value, ValueError)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_rows(tmp_path)
