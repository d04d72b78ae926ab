"""Metadata merge: RFC 7396 (JSON Merge Patch)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stanchion.domain.keys import Json


def merge_patch(target: Json, patch: Json) -> Json:
    """Return the target with a merge patch applied; neither is changed.

    A null in the patch removes the member; an object merges; anything else replaces.

    Source:
        RFC 7396, section 2.
    """
    if not isinstance(patch, dict):
        return patch
    merged: dict[str, Json] = dict(cast("Mapping[str, Json]", target)) if isinstance(target, dict) else {}
    for name, value in cast("Mapping[str, Json]", patch).items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
