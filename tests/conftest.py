"""What all tests share: a clock that only tests move, and how long Hypothesis may search."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Helpers are imported as `tests.…`, whichever way pytest was started.
sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.clock import FakeClock

# Several builders share small machines: a slow example is no failing example.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
