"""All tests here are marked `faults`; the seed is printed first and last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stanchion.stores.sqlite import SqliteStore
from tests.faults.scale import FULL, SEED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

HERE = Path(__file__).parent
_told: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.faults)


def pytest_report_header() -> str:
    return f"faults: STANCHION_SEED={SEED} STANCHION_FAULTS={'full' if FULL else 'ci'}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])]
    lines = [value for report in reports for name, value in report.user_properties if name == "figures"]
    if lines:
        terminalreporter.section("faults: what was seen")
        for line in lines:
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"STANCHION_SEED={SEED} reproduces it")


@pytest.fixture
def tell(record_property: Callable[[str, object], None], request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Add a line of figures to the summary."""
    return lambda line: record_property("figures", f"{request.node.name}: {line}")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "t.db", ballast=0)
    await made.open()
    yield made
    await made.close()
