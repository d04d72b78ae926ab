"""F22, F29: what could lose data is refused with a clear word, before anything is written."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import apsw
import pytest

from stanchion.errors import (
    ForkedConnectionError,
    SchemaChangedError,
    SchemaTooNewError,
    StoreCorruptError,
    StoreError,
    StoreUnavailableError,
    UnsafeStoreError,
)
from stanchion.stores.sqlite import SqliteStore, connection
from tests.conformance.helpers import add, new
from tests.faults.checker import History, audit
from tests.faults.scale import cannot

if TYPE_CHECKING:
    from pathlib import Path

    from stanchion.domain.job import NewJob

MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/root rw
40 22 0:40 / {folder} rw,relatime shared:1 - {kind} server:/export rw
"""


async def refusal(store: SqliteStore, kind: type[StoreError]) -> StoreError:
    """Return the error with which a store refuses to open; it always says what to do."""
    with pytest.raises(kind) as caught:
        await store.open()
    assert caught.value.remedy
    await store.close()
    return caught.value


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """A closed database with one job."""
    store = SqliteStore(tmp_path / "old.db", ballast=0)
    await store.open()
    await add(store)
    await store.close()
    return store.path


async def test_a_file_that_sqlite3_has_open_here(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("SELECT count(*) FROM jobs")
        error = await refusal(SqliteStore(file), UnsafeStoreError)
        assert "another library" in error.message
    store = SqliteStore(file, ballast=0)
    await store.open()
    await store.close()


async def test_sqlite3_on_a_file_that_is_open_here(store: SqliteStore) -> None:
    for name in (store.path, str(store.path), f"file:{store.path}?mode=ro"):
        with pytest.raises(UnsafeStoreError) as caught:
            sqlite3.connect(name, uri=str(name).startswith("file:"))
        assert caught.value.remedy
    with closing(sqlite3.connect(":memory:")) as other:
        other.execute("SELECT 1")
    await add(store)


async def test_sqlite3_may_have_the_file_once_it_is_closed(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT count(*) FROM jobs").fetchone() == (1,)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_fork_with_an_open_connection(store: SqliteStore) -> None:
    await add(store)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover - the fork
        answer = b"stored"
        try:
            coroutine = store.enqueue([])
            coroutine.send(None)
        except ForkedConnectionError as error:
            answer = error.remedy.encode()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent tells
            answer = repr(error).encode()
        os.write(writing, answer)
        os._exit(0)
    assert _ended(pid) == 0
    os.close(writing)
    assert b"spawn" in os.read(reading, 10_000)
    os.close(reading)
    await add(store)
    assert len(History(store.path).jobs) == 2


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs"])
def test_a_network_filesystem(tmp_path: Path, kind: str) -> None:
    table = MOUNTS.format(folder=tmp_path, kind=kind)
    with pytest.raises(UnsafeStoreError, match="network filesystem") as caught:
        connection.refuse_network(tmp_path / "t.db", table)
    assert "local disk" in caught.value.remedy
    connection.refuse_network(tmp_path / "t.db", MOUNTS.format(folder=tmp_path, kind="ext4"))
    connection.refuse_network(tmp_path.parent / "t.db", table)


async def test_a_network_filesystem_stops_the_store(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "filesystem_of", lambda _path, _table: "nfs4")
    await refusal(SqliteStore(file), UnsafeStoreError)
    store = SqliteStore(file, allow_network=True, ballast=0)
    await store.open()
    await store.close()


async def test_an_old_sqlite(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "SQLITE_VERSION_NUMBER", 3_040_001)
    error = await refusal(SqliteStore(file), UnsafeStoreError)
    assert "3.51.3" in error.remedy


async def test_a_newer_schema_and_an_edited_one(file: Path) -> None:
    def edit(text: str) -> None:
        with closing(apsw.Connection(str(file))) as db:
            db.execute(text)

    edit("INSERT INTO migrations VALUES (999, '0999_later', 'x')")
    error = await refusal(SqliteStore(file), SchemaTooNewError)
    assert "Upgrade" in error.remedy
    edit("DELETE FROM migrations WHERE number = 999")
    edit("UPDATE migrations SET checksum = 'edited' WHERE number = 1")
    await refusal(SqliteStore(file), SchemaChangedError)


async def test_a_missing_folder_and_a_folder_for_a_file(tmp_path: Path) -> None:
    error = await refusal(SqliteStore(tmp_path / "nowhere" / "t.db"), StoreUnavailableError)
    assert "nowhere" in error.message
    (tmp_path / "folder.db").mkdir()
    await refusal(SqliteStore(tmp_path / "folder.db"), StoreUnavailableError)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_folder_that_may_not_be_written(file: Path) -> None:
    if os.geteuid() == 0:
        file.parent.chmod(0o555)
        pid = os.fork()
        if pid == 0:  # pragma: no cover - as another user
            os.setgid(65534)
            os.setuid(65534)
            try:
                SqliteStore(file.parent / "new.db").open_now()
            except StoreUnavailableError as error:
                os._exit(7 if error.remedy else 8)
            except BaseException:  # noqa: BLE001 - the parent only sees the code
                os._exit(9)
            os._exit(0)
        code = _ended(pid)
        file.parent.chmod(0o700)
        assert code == 7
    else:
        file.parent.chmod(0o500)
        try:
            await refusal(SqliteStore(file.parent / "new.db"), StoreUnavailableError)
        finally:
            file.parent.chmod(0o700)


def _ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


async def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_bytes(b"these are no pages of a database, but a text\n" * 200)
    error = await refusal(SqliteStore(tmp_path / "text.db"), StoreCorruptError)
    assert "backup" in error.remedy


async def test_a_damaged_page_is_never_silent(tmp_path: Path) -> None:
    """F29: whatever page is overwritten, either the health check tells, or reading does, or nothing needed it."""
    store = SqliteStore(tmp_path / "t.db", ballast=0)
    await store.open()
    await add(store, *(_large(number) for number in range(200)))
    await store.close()
    whole = store.path.read_bytes()
    told = 0
    for page in range(1, len(whole) // 4096, 3):
        damaged = tmp_path / "damaged.db"
        damaged.write_bytes(whole[: page * 4096] + os.urandom(4096) + whole[(page + 1) * 4096 :])
        told += await _tells(SqliteStore(damaged, ballast=0))
        for suffix in ("-wal", "-shm"):
            damaged.with_name(damaged.name + suffix).unlink(missing_ok=True)
    assert told == len(range(1, len(whole) // 4096, 3))
    shutil.copy(store.path, tmp_path / "copy.db")
    assert audit(History(tmp_path / "copy.db")) == []


def _large(number: int) -> NewJob:
    return new(args=b'{"text":"%s"}' % (b"x" * (200 + number)))


async def _tells(store: SqliteStore) -> bool:
    try:
        await store.open()
        facts = await store.check()
    except StoreError as error:
        return isinstance(error, StoreCorruptError) and bool(error.remedy)
    else:
        return facts["quick_check"] != "ok"
    finally:
        await store.close()


def test_nothing_here_was_left_out_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.faults.scale.IN_CI", True)
    with pytest.raises(AssertionError, match="must run on CI"):
        cannot("no root")
