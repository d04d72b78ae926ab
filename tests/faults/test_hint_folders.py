"""The folders of hint sockets: none is left behind, and one that is removed while a listener comes is made again."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stanchion.errors import UnsafeStoreError
from stanchion.stores.sqlite import SqliteStore, signals
from stanchion.stores.sqlite.signals import CHANGE, Receiver, Sender, folder_for
from tests.conformance.helpers import add
from tests.faults.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stanchion.store import Signal

LISTENER = """
import asyncio, sys
from stanchion.stores.sqlite import SqliteStore
async def main():
    store = SqliteStore(sys.argv[1], ballast=0)
    await store.open()
    store.subscribe(lambda signal: None, claims=True, watch=True)
    print("listening", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """All hint folders of a test lie in a folder of its own, with a short name: the paths of sockets are limited."""
    with tempfile.TemporaryDirectory(prefix="h-") as made:
        monkeypatch.setenv("XDG_RUNTIME_DIR", made)
        yield Path(made)


def folders(base: Path) -> list[str]:
    """Return the hint folders that are there."""
    return [path.name for path in base.iterdir() if not path.name.endswith("-workers")]


async def opened(path: Path) -> SqliteStore:
    store = SqliteStore(path / "t.db", ballast=0)
    await store.open()
    return store


def ignore(_: Signal) -> None:
    """Nobody asks what it was."""


async def test_a_store_that_closes_leaves_no_folder(tmp_path: Path, base: Path) -> None:
    store = await opened(tmp_path)
    store.subscribe(ignore, claims=True, watch=True)
    store.subscribe(ignore, claims=True, watch=False)()
    assert len(folders(base)) == 1
    await store.close()
    assert folders(base) == []


async def test_a_store_that_nobody_listened_to_leaves_no_folder(tmp_path: Path, base: Path) -> None:
    store = await opened(tmp_path)
    await add(store)
    await store.close()
    assert folders(base) == []


async def test_the_folder_stays_while_another_listens(tmp_path: Path, base: Path) -> None:
    one, two = await opened(tmp_path), await opened(tmp_path)
    told = asyncio.Event()
    two.subscribe(lambda _: told.set(), claims=True, watch=True)
    one.subscribe(ignore, claims=True, watch=True)
    await one.close()
    assert len(folders(base)) == 1
    three = await opened(tmp_path)
    await add(three)
    async with asyncio.timeout(5):
        await told.wait()
    await three.close()
    await two.close()
    assert folders(base) == []


async def test_a_listener_that_comes_after_the_folder_went_is_heard(tmp_path: Path, base: Path) -> None:
    """A sender outlives the last listener, and with it the folder; the next listener makes it anew."""
    sender = await opened(tmp_path)
    for _ in range(3):
        listener = await opened(tmp_path)
        told = asyncio.Event()
        listener.subscribe(lambda _, told=told: told.set(), claims=True, watch=True)
        await add(sender)
        async with asyncio.timeout(5):
            await told.wait()
        await listener.close()
        assert folders(base) == []
        await add(sender)
    await sender.close()


def killed_listener(path: Path) -> None:
    """Let a process listen, and kill it."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTENER, str(path / "t.db")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        os.kill(process.pid, signal.SIGKILL)


def dead_pid() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        return process.pid


async def test_a_new_listener_sweeps_what_the_dead_left(tmp_path: Path) -> None:
    await asyncio.to_thread(killed_listener, tmp_path)
    folder = folder_for(tmp_path / "t.db")
    assert len(list(folder.iterdir())) == 1
    store = await opened(tmp_path)
    store.subscribe(ignore, claims=True, watch=True)
    assert [path.name.partition("-")[0] for path in folder.iterdir()] == [str(os.getpid())]
    await store.close()


async def test_a_store_that_closes_sweeps_what_the_dead_left(tmp_path: Path, base: Path) -> None:
    store = await opened(tmp_path)
    await asyncio.to_thread(killed_listener, tmp_path)
    await store.close()
    assert folders(base) == []


async def test_a_sweep_spares_who_listens_and_what_is_no_socket_of_ours(tmp_path: Path) -> None:
    """Under the name of a dead process one may listen from another namespace of processes."""
    folder = folder_for(tmp_path / "t.db")
    dead = dead_pid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listens:
        listens.bind(str(folder / f"{dead}-1.4"))
        (folder / "notes").touch()
        store = await opened(tmp_path)
        store.subscribe(ignore, claims=True, watch=True)
        names = {path.name for path in folder.iterdir()}
        assert {f"{dead}-1.4", "notes"} < names
        await store.close()
    assert {path.name for path in folder.iterdir()} == {f"{dead}-1.4", "notes"}


@pytest.fixture
def vanishing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The folder is removed again and again, just before a socket is bound in it; as often as the list says."""
    left = [0]
    bind = socket.socket.bind

    class Socket(socket.socket):
        def bind(self, address: Any, /) -> None:
            if left[0]:
                left[0] -= 1
                Path(address).parent.rmdir()
            bind(self, address)

    monkeypatch.setattr(signals.socket, "socket", Socket)
    return left


@pytest.mark.parametrize("times", [1, 5])
async def test_a_folder_removed_while_a_listener_comes_is_made_again(
    tmp_path: Path, vanishing: list[int], times: int
) -> None:
    folder = folder_for(tmp_path / "t.db")
    vanishing[0] = times
    receiver = Receiver(folder, CHANGE, ignore, asyncio.get_running_loop())
    assert len(list(folder.iterdir())) == 1
    assert folder.stat().st_mode & 0o777 == 0o700
    receiver.close()
    assert not folder.exists()


async def test_a_folder_that_became_somebody_elses_is_refused(
    tmp_path: Path, vanishing: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_for(tmp_path / "t.db")
    vanishing[0] = 1
    mkdir = os.mkdir

    def taken(path: Any, mode: int = 0o777) -> None:
        mkdir(path, mode)
        Path(path).chmod(0o755)

    monkeypatch.setattr(os, "mkdir", taken)
    with pytest.raises(UnsafeStoreError, match="private folder"):
        Receiver(folder, CHANGE, ignore, asyncio.get_running_loop())


@pytest.mark.timeout(60)
async def test_comers_and_goers_in_two_threads_never_meet_an_error(tmp_path: Path, base: Path) -> None:
    """Two that come and go as fast as they can: each removes the folder that the other is about to use."""
    errors: list[BaseException] = []
    database = tmp_path / "t.db"

    def come_and_go() -> None:
        loop = asyncio.new_event_loop()
        try:
            for _ in range(300):
                sender = Sender(folder_for(database))
                Receiver(folder_for(database), CHANGE, ignore, loop).close()
                sender.close()
        except BaseException as error:  # noqa: BLE001 - the test tells
            errors.append(error)
        finally:
            loop.close()

    threads = [threading.Thread(target=come_and_go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert errors == []
    assert folders(base) == []


def refuse(*_: Any, **__: Any) -> Any:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


async def test_without_a_socket_hints_are_missed_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("stanchion"), "propagate", True)
    with monkeypatch.context() as patch:
        patch.setattr(signals.socket, "socket", refuse)
        store = await opened(tmp_path)
        stop = store.subscribe(ignore, claims=True, watch=True)
    assert caplog.text.count("Too many open files") == 2
    assert "polling" in caplog.text
    assert len(await add(store)) == 1
    stop()
    told = asyncio.Event()
    store.subscribe(lambda _: told.set(), claims=True, watch=True)
    other = await opened(tmp_path)
    await add(other)
    async with asyncio.timeout(5):
        await told.wait()
    await other.close()
    await store.close()
