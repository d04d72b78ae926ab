"""One browser for all tests, a server for each; a failed test leaves a screenshot in test-results/."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.e2e.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE: Final = Path(__file__).parent
CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_FAILED: Final = pytest.StashKey[bool]()

expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report: pytest.TestReport = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is not here; install the system's chromium package"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.start()
    yield made
    made.stop()


class Complaints:
    """What a page must not do: speak to another host, fail in its script, break its own policy."""

    def __init__(self, context: BrowserContext, host: str) -> None:
        self.seen: list[str] = []
        self._host = host
        self.offline = False
        context.on("console", self._console)
        context.on("weberror", lambda error: self.seen.append(str(error.error)))
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        lost = self.offline and "ERR_" in message.text and "Content Security Policy" not in message.text
        if message.type in {"error", "warning"} and not lost:
            self.seen.append(message.text)

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != self._host:
            self.seen.append(f"a request to {request.url}")


@pytest.fixture
def complaints() -> list[Complaints]:
    return []


@pytest.fixture
def open_page(
    browser: Browser, site: Site, complaints: list[Complaints], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Open pages; at the end none may have complained."""
    pages: list[Page] = []

    def open_(path: str = "/", **options: Any) -> Page:
        given: dict[str, Any] = {"viewport": {"width": 1400, "height": 900}} | options
        context = browser.new_context(base_url=site.url, **given)
        complaints.append(Complaints(context, f"127.0.0.1:{site.port}"))
        page = context.new_page()
        pages.append(page)
        page.goto(path)
        return page

    yield open_
    if request.node.stash.get(_FAILED, True):
        folder = request.config.rootpath / "test-results"
        folder.mkdir(exist_ok=True)
        for number, page in enumerate(pages):
            name = re.sub(r"\W+", "-", request.node.name)
            page.screenshot(path=folder / f"{name}-{number}.png", full_page=True)
    for page in pages:
        page.context.close()
    assert [text for each in complaints for text in each.seen] == []
