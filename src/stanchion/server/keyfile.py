"""The keys of a server: those of the settings, and those of the key file, which may change while it serves."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from stanchion.errors import ConfigError
from stanchion.security.keys import Keyring, load_keys
from stanchion.server.fresh import Looked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stanchion.domain.units import Instant

log = logging.getLogger(__name__)


class Keys:
    """A keyring, and the file that it is filled from.

    Args:
        texts: The keys of the settings.
        file: The key file; its changes take effect within a second of a look.
        pepper: A secret that the digests in the file were made with.

    Raises:
        ConfigError: A key or the file cannot be used.
    """

    def __init__(self, texts: Sequence[str] = (), file: Path | None = None, *, pepper: bytes = b"") -> None:
        self._texts, self._file, self._pepper = texts, file, pepper
        self._looked = Looked(file) if file is not None else None
        self.ring = Keyring(load_keys(texts, file, pepper=pepper), pepper=pepper)
        self.configured = bool(texts) or file is not None

    def look(self, now: Instant) -> None:
        """Take the keys of the file if it changed; if it cannot be used any more, say so and keep those known."""
        if self._looked is None or not self._looked.changed(now):
            return
        try:
            keys = load_keys(self._texts, self._file, pepper=self._pepper)
        except ConfigError as error:
            log.error("%s The keys that were known stay in force. %s", error.message, error.remedy)  # noqa: TRY400 - no trace
            return
        self.ring.replace(keys)
        log.info("the key file %s changed: %d keys are in force", self._file, len(keys))
