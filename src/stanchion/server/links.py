"""Where things of the API are, as a client of this mount finds them."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Generator

    from stanchion.domain.units import JobId

BASE: Final = "/api/v1"
_root: ContextVar[str] = ContextVar("stanchion_root", default="")


@contextmanager
def below(root_path: str) -> Generator[None]:
    """Give out links below a path for as long as the context is open; tasks that are started in it do so too.

    Args:
        root_path: ASGI's `root_path`, not encoded. However many slashes it begins with, it stays a path of this host.
    """
    inner = root_path.strip("/")
    token = _root.set(f"/{quote(inner)}" if inner else "")
    try:
        yield
    finally:
        _root.reset(token)


def root() -> str:
    """Return the path that the app is mounted below, encoded, without a slash at its end; empty at the root."""
    return _root.get()


def job(job_id: JobId) -> str:
    """Return where a job is."""
    return f"{root()}{BASE}/jobs/{job_id}"


def output(job_id: JobId, index: int) -> str:
    """Return where the bytes of an output are."""
    return f"{job(job_id)}/outputs/{index}"


def preview(job_id: JobId, revision: int) -> str:
    """Return where a preview's bytes are."""
    return f"{job(job_id)}/preview?v={revision}"
