"""`stanchion migrate`: bring the store's schema up to date."""

from __future__ import annotations

from stanchion.cli import exits, render
from stanchion.cli.reach import HERE, Where, database, opened


async def command(*, where: Where = HERE) -> int:
    """Apply the migrations that the store lacks, each in a transaction of its own, and print its schema.

    Migrations go forward only, and leave the previous release running.
    """
    async with opened(where, create=True) as app:  # opening migrates
        facts = await app.store.check()
        file = database(app.settings.url)
        record = {"store": app.store.name, "schema": facts.get("schema"), "file": None if file is None else str(file)}
        if where.json:
            render.line(record)
        else:
            render.say(f"{app.store.name}: schema {record['schema']}" + (f" in {file}" if file is not None else ""))
    return exits.OK
