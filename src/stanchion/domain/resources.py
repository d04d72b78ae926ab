"""Resources: countable things that an attempt holds, of a worker's machine or of all workers together.

A job asks for so much of each name. A name that an operator has set is *shared*: one count for all workers. Any other
is *local*: it belongs to the worker trees that advertise it, and a job that asks for several local ones gets them all
in one tree. A local resource may have named devices (`gpu:0`), each with so many shares: asking for 2 of `gpu` gets a
share of two different devices, asking for 2 of `gpu:0` gets two shares of that one. A device with one share is whole.

In a lane a resource is the key `resource:NAME`; a lane that finds no room anywhere waits for it as for a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from stanchion.domain.limits import ENDLESS, MAX_COUNT, MAX_WEIGHT, RESOURCE, counted
from stanchion.domain.units import whole
from stanchion.errors import UsageError

if TYPE_CHECKING:
    from stanchion.domain.limits import Usage, Weights
    from stanchion.domain.units import Instant

DEVICED: Final = "gpu"
"""The resource of which a number means devices: 2 are `gpu:0` and `gpu:1`. Of any other it means an amount."""
MAX_ASKED: Final = 8
MAX_DEVICES: Final = 64
SHARED: Final = ""
"""Who owns what all workers share."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(?::[A-Za-z0-9][A-Za-z0-9_.-]{0,63})?")

Given: TypeAlias = "Mapping[str, int | Mapping[str, int] | Iterable[str]]"
"""What a worker has, as people write it: a number, the names of devices, or devices with their shares."""
Spots: TypeAlias = Mapping[str, Mapping[str, int]]
"""By owner and device (`""` where there are none), how much there is, or how much of it is free."""


class Hold(NamedTuple):
    """So much of a resource that an attempt holds, of a device where it has devices (`""`: it has none)."""

    name: str
    device: str
    weight: int


class Resource(NamedTuple):
    """A resource as operators see it: how much there is and is held, and how many jobs wait for it.

    `shared` says that it is one count for all workers; otherwise it is summed over the workers that live.
    """

    name: str
    capacity: int
    used: int = 0
    waiting: int = 0
    shared: bool = False


def resource_key(name: str) -> str:
    """Return the key of a lane for a resource."""
    return RESOURCE + name


def is_resource(key: str) -> bool:
    """Return whether a key is one of a resource."""
    return key.startswith(RESOURCE)


def parts(key: str) -> tuple[str, str]:
    """Return the name and the device (`""`: any) of a resource's key or name."""
    name, _, device = key.removeprefix(RESOURCE).partition(":")
    return name, device


def keys_of(hold: Hold) -> tuple[str, ...]:
    """Return the keys for which lanes may wait that want what is held."""
    key = resource_key(hold.name)
    return (key, f"{key}:{hold.device}") if hold.device else (key,)


def asked(given: Mapping[str, int] | Iterable[str]) -> Weights:
    """Return the resources that a task or a request asks for, in order.

    Raises:
        UsageError: A name or a number cannot be used, or a device is named beside its resource.
    """
    pairs = counted(given)
    if len(pairs) > MAX_ASKED:
        message = f"{len(pairs)} resources were asked for by one job; {MAX_ASKED} can be."
        raise UsageError(message)
    for name, weight in pairs.items():
        _whole(_named(name), weight, MAX_WEIGHT)
        base, device = parts(name)
        if device and base in pairs:
            message = f"A job cannot ask for {base!r} and for {name!r}: the one may be the other."
            raise UsageError(message, remedy=f"Name each device, or ask for a number of {base!r}.")
    return tuple(sorted(pairs.items()))


def advertised(given: Given) -> dict[str, int]:
    """Return what a worker has: devices as `NAME:DEVICE` with their shares, anything else as its amount.

    Raises:
        UsageError: A name or a number cannot be used.
    """
    found: dict[str, int] = {}
    for name, value in given.items():
        if isinstance(value, Mapping):
            devices = cast("Mapping[str, int]", value)
            found |= {f"{name}:{device}": shares for device, shares in devices.items()}
        elif isinstance(value, int):
            count = _whole(name, value, MAX_DEVICES if name == DEVICED else MAX_COUNT)
            found |= {f"{name}:{number}": 1 for number in range(count)} if name == DEVICED else {name: value}
        else:
            found |= dict.fromkeys((f"{name}:{device}" for device in value), 1)
    for name, shares in found.items():
        _whole(_named(name), shares, MAX_COUNT)
        base, device = parts(name)
        if device and base in found:
            message = f"A worker cannot have an amount of {base!r} and the device {name!r}."
            raise UsageError(message, remedy=f"Give all of {base!r} as devices, or as one number.")
        if sum(parts(other)[0] == base for other in found) > MAX_DEVICES:
            message = f"A worker cannot have more than {MAX_DEVICES} devices of {base!r}."
            raise UsageError(message)
    return found


def shared_name(name: str) -> str:
    """Return the name of a resource that all workers share.

    Raises:
        UsageError: It cannot be used, or names a device.
    """
    if parts(_named(name))[1]:
        message = f"The device {name!r} cannot be shared by all workers."
        raise UsageError(message, remedy="Give the name of a resource, such as pixellab-slots.")
    return name


def capacity(name: str, value: int) -> int:
    """Return how much there is of a shared resource; 0 holds all who ask for it.

    Raises:
        UsageError: It is no number that can be used.
    """
    return _whole(name, value, MAX_COUNT, least=0)


def _named(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = f"{name!r} is not the name of a resource."
        raise UsageError(message, remedy="Use letters, digits, '_', '-', '.'; a device is written NAME:DEVICE.")
    return name


def _whole(name: str, value: object, most: int, *, least: int = 1) -> int:
    if not whole(value, least, most):
        message = f"{value!r} of the resource {name!r} cannot be used."
        raise UsageError(message, remedy=f"Give a whole number from {least} to {most:,}.")
    return value


def with_resources(limits: Weights, resources: Weights) -> Weights:
    """Return the keys of a lane: those of limits, then those of resources."""
    return (*limits, *((resource_key(name), weight) for name, weight in resources)) if resources else limits


def only_resources(keys: Weights) -> Weights:
    """Return those of a lane's keys that are resources."""
    return tuple(pair for pair in keys if is_resource(pair[0]))


def left(spots: Spots, held: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    """Return what is free of a resource.

    Args:
        spots: What there is; where it is shared, nothing else.
        held: Who holds how much: owner, device and weight. What is held of a tree or device that is not there any more
            counts for nobody.
    """
    free = {owner: dict(tree) for owner, tree in spots.items()}
    for owner, device, weight in held:
        if SHARED in free:
            free[SHARED][""] -= weight
        elif device in free.get(owner, {}):
            free[owner][device] -= weight
    return free


def hold(usage: Usage, now: Instant) -> tuple[str, Instant | None]:
    """Return why a lane waits for a resource, and until when if that is known."""
    return ("provider_parked", usage.parked) if usage.parked > now else ("resource", None)


def fit(spots: Mapping[str, int], device: str, weight: int) -> int:
    """Return how many jobs of a weight fit into one tree.

    Args:
        spots: By device, what is free.
        device: The device that they ask for; `""` for any.
        weight: How much each asks for.
    """
    if device:
        return max(spots.get(device, 0), 0) // weight
    if "" in spots:
        return max(spots[""], 0) // weight
    free = [count for count in spots.values() if count > 0]
    most = sum(free) // weight
    while most and sum(min(count, most) for count in free) < most * weight:  # no job gets one device twice
        most -= 1
    return most


def jobs(spots: Spots, device: str, weight: int) -> int:
    """Return how many jobs of a weight fit into all trees together."""
    return sum(fit(tree, device, weight) for tree in spots.values())


def amount(spots: Spots, device: str) -> int:
    """Return how much there is, or how much of it is free, in all trees together."""
    trees = ((tree.get(device, 0),) if device else tree.values() for tree in spots.values())
    return sum(max(count, 0) for tree in trees for count in tree)


def room(asks: Weights, spots: Mapping[str, Spots], owner: str | None = None) -> tuple[int, str]:
    """Return how many jobs may start, and the key of the resource that allows the fewest.

    Args:
        asks: The keys of the resources that each asks for.
        spots: By name, what is free.
        owner: Whose tree they are to start in; None for any.
    """
    least, narrow = ENDLESS, ""
    trees: dict[str, int] | None = None
    for key, weight in asks:
        name, device = parts(key)
        free = spots[name]
        here = {tree: there for tree, there in free.items() if owner is None or tree in (owner, SHARED)}
        own = {tree: fit(there, device, weight) for tree, there in here.items()}
        if (count := sum(own.values())) < least:
            least, narrow = count, key
        if SHARED not in free:
            trees = own if trees is None else {tree: min(some, own.get(tree, 0)) for tree, some in trees.items()}
    if trees is not None:
        least = min(least, sum(trees.values()))
    return least, narrow


def pick(spots: Mapping[str, int], name: str, device: str, weight: int) -> tuple[Hold, ...]:
    """Return what a job gets of a resource in a tree where it fits: of devices the freest, then by name."""
    if device or "" in spots:
        return (Hold(name, device, weight),)
    freest = sorted(spots, key=lambda one: (-spots[one], len(one), one))
    return tuple(Hold(name, one, 1) for one in sorted(freest[:weight], key=lambda one: (len(one), one)))


def listed(
    spots: Mapping[str, Spots], free: Mapping[str, Spots], held: Mapping[str, int], waiting: Mapping[str, int]
) -> list[Resource]:
    """Return resources by name.

    Args:
        spots: By name, what there is.
        free: By name, what of it is free.
        held: By name, what attempts hold, also of trees that are gone.
        waiting: By key, how many jobs wait.
    """
    waits: dict[str, int] = {}
    for key, count in waiting.items():
        name = parts(key)[0]
        waits[name] = waits.get(name, 0) + count
    found: list[Resource] = []
    for name in sorted({*spots, *(name for name, count in waits.items() if count), *held}):
        there = spots.get(name, {})
        total = sum(count for tree in there.values() for count in tree.values())
        left = sum(count for tree in free.get(name, {}).values() for count in tree.values())
        used = total - left if there else held.get(name, 0)
        found.append(Resource(name, total, used, waits.get(name, 0), SHARED in there))
    return found


def visible(devices: Iterable[Hold], has: Iterable[str]) -> str | None:
    """Return which of its machine's GPUs an attempt may see, as `CUDA_VISIBLE_DEVICES` says it.

    Args:
        devices: What it holds.
        has: What its worker advertises, by name; where there is no GPU among it, None leaves all as it is.
    """
    if not any(parts(name)[0] == DEVICED for name in has):
        return None
    return ",".join(hold.device for hold in devices if hold.name == DEVICED and hold.device)


def summed(holds: Iterable[Hold]) -> dict[str, int]:
    """Return how much is held by name, or by device where there are devices."""
    found: dict[str, int] = {}
    for name, device, weight in sorted(holds):
        word = f"{name}:{device}" if device else name
        found[word] = found.get(word, 0) + weight
    return found
