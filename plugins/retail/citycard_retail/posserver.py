"""Serve POS over TCP: each message has its length before it, two bytes, and is answered on its connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator

from sqlalchemy.exc import SQLAlchemyError

from citycard_retail.errors import MessageInvalid
from citycard_retail.pos import PosHost

__all__ = ["serving"]

_log = logging.getLogger("citycard.retail.pos")
_LENGTH = 2
_IDLE_S = 120
_MOST_CONNECTIONS = 500
_WORKERS = 8


@contextlib.asynccontextmanager
async def serving(
    host: PosHost, address: str, port: int, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[asyncio.Server]:
    """Listen at an address, with TLS where it is given; leaving it lets go of every connection."""
    open_now: set[asyncio.Task[None]] = set()
    working = asyncio.Semaphore(_WORKERS)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(open_now) >= _MOST_CONNECTIONS:
            writer.close()
            return
        open_now.add(task)
        try:
            await _talk(host, reader, writer, working)
        except SQLAlchemyError:
            # Without an answer the POS reverses what it sent, or sends it again.
            _log.exception("the store did not answer")
        finally:
            open_now.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, address, port, ssl=tls)
    try:
        yield server
    finally:
        server.close()
        for task in tuple(open_now):
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)


async def _talk(
    host: PosHost,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    working: asyncio.Semaphore,
) -> None:
    """Answer one message after the other; whoever sends what is no message is hung up on."""
    while True:
        try:
            async with asyncio.timeout(_IDLE_S):
                size = int.from_bytes(await reader.readexactly(_LENGTH))
                data = await reader.readexactly(size)
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            return
        try:
            async with working:
                reply = await asyncio.to_thread(host.answer, data)
        except MessageInvalid as wrong:
            _log.warning("a POS sent what is no message: %s", wrong)
            return
        writer.write(len(reply).to_bytes(_LENGTH) + reply)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
