"""What all tests share: a clock that only tests move, and how long Hypothesis may search."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.clock import FakeClock

# Small machines are shared: a slow example is no failing example.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
