"""The statements of the result cache, whole and named."""

from __future__ import annotations

from typing import Final

ADD_KEEPING: Final = "INSERT INTO keeping (seq, key, ttl) VALUES (?, ?, ?)"
KEPT_FROM: Final = """
    SELECT k.key, k.ttl, l.tenant, l.task, j.attempt
      FROM keeping k JOIN jobs j ON j.seq = k.seq JOIN lanes l ON l.id = j.lane WHERE k.seq = ?
"""
SIZE_OF: Final = "SELECT total(size) FROM outputs WHERE seq = ? AND attempt = ?"
ADD_ENTRY: Final = """
    INSERT INTO cache (key, tenant, task, ref, size, hits, at, until, used_at, result)
    VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?) RETURNING id
"""
COPY_OUTPUTS: Final = """
    INSERT INTO cache_outputs (entry, idx, kind, data, name, content_type, size, artifact, width, height)
    SELECT ?, idx, kind, data, name, content_type, size, artifact, width, height
      FROM outputs WHERE seq = ? AND attempt = ?
"""
ADD_ENTRY_OUTPUT: Final = """
    INSERT INTO cache_outputs (entry, idx, kind, data, name, content_type, size, artifact, width, height)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
SUM_MOVED: Final = """
    INSERT INTO cache_sums (tenant, task, entries, bytes, hits) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (tenant, task) DO UPDATE SET entries = entries + excluded.entries,
           bytes = bytes + excluded.bytes, hits = hits + excluded.hits
"""
BY_KEY: Final = "SELECT id FROM cache WHERE key = ?"
MADE_BY: Final = "SELECT id FROM cache WHERE ref = ?"
HEAD: Final = "SELECT ref FROM cache WHERE key = ? AND until > ?"
ENTRY: Final = "SELECT id, key, tenant, task, ref, at, until, result FROM cache WHERE key = ? AND until > ?"
ENTRY_OUTPUTS: Final = """
    SELECT idx, 0, kind, data, name, content_type, size, artifact, width, height, 0
      FROM cache_outputs WHERE entry = ? ORDER BY idx
"""
BORN: Final = "UPDATE jobs SET ended_at = ? WHERE seq = ?"
TOUCH: Final = """
    UPDATE cache SET hits = hits + ?, used_at = max(used_at, ?) WHERE key = ? RETURNING tenant, task
"""
CHOSEN: Final = """
    SELECT id FROM cache
     WHERE id > ?1 AND (?2 IS NULL OR tenant = ?2) AND (?3 IS NULL OR task = ?3) AND (?4 IS NULL OR at < ?4)
     ORDER BY id LIMIT ?5
"""
STALE: Final = "SELECT id FROM cache WHERE until <= ? ORDER BY until, id LIMIT ?"
# A range that holds all of them: read in the order of the index, up to the limit.
COLDEST: Final = "SELECT id, size FROM cache WHERE used_at >= 0 ORDER BY used_at, id LIMIT ?"
DROP_ENTRY: Final = "DELETE FROM cache WHERE id = ? RETURNING tenant, task, size, hits"
DROP_ENTRY_OUTPUTS: Final = "DELETE FROM cache_outputs WHERE entry = ? RETURNING artifact"
CACHE_BYTES: Final = "SELECT total(bytes) FROM cache_sums"
SUMS: Final = """
    SELECT tenant, task, entries, bytes, hits FROM cache_sums
     WHERE entries > 0 AND (?1 IS NULL OR tenant = ?1) ORDER BY tenant, task
"""
