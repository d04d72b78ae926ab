"""Messages between a worker's processes: length-prefixed MessagePack over pipes."""

from __future__ import annotations

import asyncio
import os
import struct
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from stanchion.store import CostNote, LogNote, OutputNote, PreviewNote, ProgressNote, StepNote

if TYPE_CHECKING:
    from stanchion.store import Note

_HEAD: Final = struct.Struct(">I")
MAX_FRAME: Final = 64 * 1024 * 1024
_NOTES: Final[dict[str, type[Any]]] = {
    kind.__name__: kind for kind in (ProgressNote, PreviewNote, OutputNote, LogNote, StepNote, CostNote)
}


def packed(message: object) -> bytes:
    """Return a message as it goes over a pipe."""
    body = msgspec.msgpack.encode(message)
    return _HEAD.pack(len(body)) + body


async def read(stream: asyncio.StreamReader) -> Any:  # noqa: ANN401 - the receiver checks
    """Return the next message.

    Raises:
        EOFError: The other side has gone.
    """
    try:
        (size,) = _HEAD.unpack(await stream.readexactly(_HEAD.size))
        return msgspec.msgpack.decode(await stream.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise EOFError from error


def note_to_wire(note: Note) -> list[Any]:
    """Return a note as plain values."""
    return [type(note).__name__, *note]


def note_from_wire(values: list[Any]) -> Note:
    """Return the note of plain values."""
    return _NOTES[values[0]](*values[1:])


def own_stdout() -> BinaryIO:
    """Take standard output for messages; what a handler prints goes to standard error instead."""
    mine = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(mine, "wb", buffering=0)


async def stdin_reader() -> asyncio.StreamReader:
    """Return standard input as a stream."""
    stream = asyncio.StreamReader(limit=MAX_FRAME)
    loop = asyncio.get_running_loop()
    mine = os.fdopen(os.dup(0), "rb", buffering=0)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), mine)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return stream
