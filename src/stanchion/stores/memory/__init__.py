"""The reference model: the law of a store in its plainest form, in this process's memory."""

from stanchion.stores.memory.store import MemoryStore

__all__ = ["MemoryStore"]
