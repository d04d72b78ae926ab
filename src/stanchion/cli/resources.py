"""`stanchion resources`: list what there is, share a resource between all workers, share it no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cyclopts import App

from stanchion.cli import exits, render
from stanchion.cli.reach import HERE, Where, opened
from stanchion.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanchion.app import Stanchion
    from stanchion.domain.resources import Given, Resource

command: Final = App(name="resources", help="List resources; share one between all workers, such as provider slots.")


@command.default
async def list_(*, where: Where = HERE) -> int:
    """List the resources that there are, that are held or waited for."""
    async with opened(where) as app:
        return await _shown(app, where)


@command.command(name="set")
async def set_(name: str, capacity: int, /, *, where: Where = HERE) -> int:
    """Share a resource between all workers; counts at once, and stops nothing that runs.

    Args:
        name: Such as pixellab-slots. What workers advertise of it counts no more.
        capacity: How much there is; 0 holds all jobs that ask for it.
        where: The store.
    """
    async with opened(where) as app:
        await app.resources.set(name, capacity)
        return await _shown(app, where, name)


@command.command
async def drop(name: str, /, *, where: Where = HERE) -> int:
    """Share a resource no more: then it is what workers advertise of it."""
    async with opened(where) as app:
        if not await app.resources.drop(name):
            message = f"The resource {name!r} is not shared."
            raise NotFoundError(message, remedy="`stanchion resources` lists those there are.")
        render.line({"name": name, "dropped": True}) if where.json else render.say(f"{name}: not shared")
    return exits.OK


async def _shown(app: Stanchion, where: Where, name: str | None = None) -> int:
    found = [one for one in await app.resources.list() if name in (None, one.name)]
    if where.json:
        for one in found:
            render.line(one._asdict())
    else:
        render.table(("RESOURCE", "HELD", "WAITING", "OF"), [_row(one) for one in found])
    return exits.OK


def _row(one: Resource) -> tuple[str, ...]:
    whose = "all workers together" if one.shared else "the workers' machines" if one.capacity else "no living worker"
    return one.name, f"{one.used} of {one.capacity}", str(one.waiting or ""), whose


def given(listed: Iterable[str]) -> Given:
    """Return what a worker has, of texts such as `gpu=2`, `gpu=0,1`, `gpu:0=4` and `vram_gb=24`.

    Raises:
        UsageError: One is not so written.
    """
    found: dict[str, int | tuple[str, ...]] = {}
    for text in listed:
        name, equals, value = (part.strip() for part in text.partition("="))
        devices = tuple(device.strip() for device in value.split(","))
        if not equals or not name or not all(devices) or name in found:
            message = f"--resource {text!r} is not a resource."
            raise UsageError(message, remedy="Write NAME=NUMBER or NAME=DEVICE,DEVICE once for each name.")
        found[name] = int(value) if value.isascii() and value.isdecimal() else devices
    return found
