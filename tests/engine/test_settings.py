"""Where settings come from, and what refuses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stanchion import ConfigError, Stanchion
from stanchion.settings import DEFAULT_URL, Settings, load


def test_the_nearest_to_the_caller_wins(tmp_path: Path) -> None:
    (tmp_path / "stanchion.toml").write_text('url = "memory://toml"\nslots = 1\ngrace = 1.5\n')
    environ = {"STANCHION_URL": "memory://env", "STANCHION_SLOTS": "2", "OTHER": "x"}
    assert load({"url": "memory://arg"}, environ=environ, folder=tmp_path) == Settings(
        url="memory://arg", slots=2, grace=1.5
    )


def test_an_argument_of_none_takes_no_part(tmp_path: Path) -> None:
    assert load({"url": None, "slots": None}, environ={"STANCHION_SLOTS": "0"}, folder=tmp_path) == Settings(slots=0)


def test_without_anything_there_are_defaults(tmp_path: Path) -> None:
    assert load({}, environ={}, folder=tmp_path).url == DEFAULT_URL


def test_keys_in_the_environment_are_separated_by_commas(tmp_path: Path) -> None:
    assert load({}, environ={"STANCHION_KEYS": "a,b"}, folder=tmp_path).keys == ("a", "b")


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        ({"colour": "red"}, {}),
        ({"slots": "many"}, {}),
        ({}, {"STANCHION_GRACE": "long"}),
        ({"profile": "slow"}, {}),
    ],
)
def test_what_does_not_fit_is_refused_with_the_known_names(
    tmp_path: Path, arguments: dict[str, str], environ: dict[str, str]
) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(arguments, environ=environ, folder=tmp_path)
    assert "max_payload" in refusal.value.remedy


@pytest.mark.parametrize("text", [b"url = ", b"\xff", b'nothing = "known"'])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "stanchion.toml").write_bytes(text)
    with pytest.raises(ConfigError):
        load({}, environ={}, folder=tmp_path)


def test_the_app_reads_the_file_of_its_folder(folder: Path) -> None:
    (folder / "stanchion.toml").write_text("slots = 3\n")
    assert Stanchion("memory://").settings.slots == 3


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(url="sqlite:///a/jobs.db"), Path("a/jobs.db-artifacts")),
        (Settings(url="sqlite:////a/my%20jobs.db?synchronous=extra"), Path("/a/my jobs.db-artifacts")),
        (Settings(url="memory://"), None),
        (Settings(url="sqlite:///"), None),
        (Settings(url="memory://", artifacts="here"), Path("here")),
    ],
)
def test_artifacts_are_beside_the_file_or_where_told(settings: Settings, expected: Path | None) -> None:
    assert settings.artifact_folder == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(url="sqlite:////a/my%20jobs.db?synchronous=extra"), Path("/a/my jobs.db-session")),
        (Settings(url="memory://"), None),
        (Settings(url="sqlite:///"), None),
        (Settings(url="sqlite:///a.db", session_file="/run/secrets/session"), Path("/run/secrets/session")),
    ],
)
def test_the_secret_of_sessions_is_beside_the_file_or_where_told(settings: Settings, expected: Path | None) -> None:
    assert settings.session_path == expected


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_key_has_at_least_one_stream(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError):
        load({}, environ={"STANCHION_STREAMS_PER_KEY": value}, folder=tmp_path)


def test_stores_of_one_host_use_the_fast_profile() -> None:
    assert [Settings(url=url).lease.lease for url in ("memory://", "sqlite:///x", "postgres://x")] == [
        4_000,
        4_000,
        15_000,
    ]
    assert Settings(url="memory://", profile="default").lease.lease == 15_000


def test_retention_is_told_in_days() -> None:
    assert Settings(keep_completed_days=0.5).retention.completed == 43_200_000
