"""The statements of model affinity: its bound, who was passed over, and what workers have loaded."""

from __future__ import annotations

from typing import Final

SET_AFFINITY_JOBS: Final = "UPDATE queues SET affinity_jobs = ? WHERE name = ?"
SET_AFFINITY_TIME: Final = "UPDATE queues SET affinity_time = ? WHERE name = ?"
# What the other workers have loaded.
OTHERS_WARM: Final = "SELECT DISTINCT warm FROM workers WHERE state = 'alive' AND warm <> '' AND id <> ?"
SET_PASSED: Final = "UPDATE lanes SET passed = ? WHERE id = ?"
SET_WARM: Final = "UPDATE workers SET warm = ?, swaps = swaps + ? WHERE id = ?"
