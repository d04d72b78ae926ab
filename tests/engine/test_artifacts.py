"""Artifacts: named by their content, kept once, removed only when old."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from stanchion import ConfigError, DiskFullError, NotFoundError
from stanchion.engine.artifacts import YOUNG, Artifacts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path / "kept")


def files(artifacts: Artifacts) -> list[Path]:
    return [path for path in artifacts.folder.rglob("*") if path.is_file()]


def test_the_same_bytes_are_kept_once_under_their_hash(artifacts: Artifacts) -> None:
    digest = artifacts.put(b"picture")
    assert digest == hashlib.sha256(b"picture").hexdigest() == artifacts.put(b"picture")
    assert files(artifacts) == [artifacts.path(digest)]
    assert artifacts.get(digest) == b"picture"
    assert artifacts.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "digest",
    [
        "",
        "ab",
        "../" * 20 + "etc/passwd",
        "/" * 64,
        "." * 64,
        "A" * 64,
        "g" * 64,
        "a" * 63 + "\n",
        "a" * 65,
        "\uff41" * 64,
    ],
)
def test_what_is_no_hash_names_no_file(artifacts: Artifacts, digest: str) -> None:
    for use in (artifacts.path, artifacts.get):
        with pytest.raises(NotFoundError):
            use(digest)
    with pytest.raises(NotFoundError):
        artifacts.remove([digest])


def test_what_is_not_there_is_not_found(artifacts: Artifacts) -> None:
    with pytest.raises(NotFoundError, match="not here"):
        artifacts.get("a" * 64)


def test_only_old_ones_are_removed_and_use_makes_young(artifacts: Artifacts) -> None:
    old, young, used = (artifacts.put(text) for text in (b"old", b"young", b"used"))
    past = time.time() - YOUNG - 60
    for digest in (old, used):
        os.utime(artifacts.path(digest), (past, past))
    artifacts.put(b"used")
    assert artifacts.remove([old, young, used, "b" * 64]) == 1
    assert set(files(artifacts)) == {artifacts.path(young), artifacts.path(used)}


def test_a_full_disk_says_so_and_leaves_nothing_that_looks_whole(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("stanchion.engine.artifacts.os.fsync", full)
    with pytest.raises(DiskFullError):
        artifacts.put(b"picture")
    with pytest.raises(NotFoundError):
        artifacts.get(hashlib.sha256(b"picture").hexdigest())
    assert files(artifacts) == []


def test_without_a_folder_there_is_a_remedy() -> None:
    with pytest.raises(ConfigError, match="STANCHION_ARTIFACTS"):
        Artifacts(None).put(b"x")
