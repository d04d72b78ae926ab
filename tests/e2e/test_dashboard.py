"""The dashboard in a real browser, on a real server with a real worker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Complaints
    from tests.e2e.site import Site


def row(page: Page, job: str) -> Locator:
    return page.locator(f'[data-testid="job-row"][data-job="{job}"]')


def state(where: Page | Locator) -> Locator:
    return where.get_by_test_id("job-state")


def live(page: Page) -> None:
    expect(page.get_by_test_id("connection")).to_have_attribute("data-phase", "live")


def test_a_job_appears_progresses_and_shows_its_picture_without_a_reload(
    site: Site, open_page: Callable[..., Page]
) -> None:
    page = open_page("/jobs")
    live(page)
    page.evaluate("window.here = true")
    job = site.enqueue("draw", prompt="an orc")
    expect(row(page, job)).to_be_visible()
    expect(state(row(page, job))).to_have_attribute("data-state", "running")
    expect(row(page, job).get_by_test_id("job-progress")).to_have_attribute("aria-valuenow", re.compile("5."))
    row(page, job).get_by_role("link").first.click()
    expect(page.get_by_test_id("job-progress")).to_have_attribute("aria-valuenow", re.compile("5."))
    expect(page.get_by_test_id("job-preview")).to_have_js_property("naturalWidth", 64)
    (site.folder / "go").touch()
    expect(state(page)).to_have_attribute("data-state", "completed")
    expect(page.get_by_test_id("job-picture")).to_have_js_property("naturalWidth", 64)
    assert page.evaluate("window.here") is True


def test_a_running_job_is_cancelled_by_its_button(site: Site, open_page: Callable[..., Page]) -> None:
    job = site.enqueue("wait")
    page = open_page(f"/jobs/{job}")
    expect(state(page)).to_have_attribute("data-state", "running")
    page.get_by_test_id("cancel-button").click()
    expect(state(page)).to_have_attribute("data-state", "cancelled")
    expect(page.get_by_test_id("cancel-button")).to_have_count(0)
    assert site.state(job) == "cancelled"


def test_a_failed_job_shows_why_as_text_and_is_retried_by_its_button(
    site: Site, open_page: Callable[..., Page]
) -> None:
    job = site.enqueue("mend")
    page = open_page(f"/jobs/{job}")
    expect(state(page)).to_have_attribute("data-state", "failed")
    expect(page.get_by_test_id("job-error")).to_contain_text("the <b>plug</b> is out")
    (site.folder / "mended").touch()
    page.get_by_test_id("retry-button").click()
    expect(page.get_by_test_id("retry-button")).to_have_count(0)
    site.until(job, "completed")
    page.reload()
    expect(state(page)).to_have_attribute("data-state", "completed")
    expect(page.get_by_test_id("job-result")).to_contain_text("mended")


def test_the_page_of_a_retried_job_follows_it_without_a_reload(site: Site, open_page: Callable[..., Page]) -> None:
    job = site.enqueue("mend")
    page = open_page(f"/jobs/{job}")
    expect(state(page)).to_have_attribute("data-state", "failed")
    live(page)
    (site.folder / "mended").touch()
    page.get_by_test_id("retry-button").click()
    site.until(job, "completed")
    expect(state(page)).to_have_attribute("data-state", "completed", timeout=3_000)


def test_after_a_restart_of_the_server_the_page_is_live_again(
    site: Site, open_page: Callable[..., Page], complaints: list[Complaints]
) -> None:
    page = open_page("/jobs")
    live(page)
    complaints[0].offline = True
    site.stop()
    expect(page.get_by_test_id("connection")).to_have_attribute("data-phase", "reconnecting")
    expect(page.get_by_test_id("connection")).to_contain_text("econnecting")
    site.start()
    live(page)
    complaints[0].offline = False
    job = site.enqueue("wait")
    expect(state(row(page, job))).to_have_attribute("data-state", "running")


def test_filters_stand_in_the_address_and_survive_a_reload(site: Site, open_page: Callable[..., Page]) -> None:
    failed, running = site.enqueue("mend"), site.enqueue("wait")
    page = open_page("/jobs")
    expect(state(row(page, failed))).to_have_attribute("data-state", "failed")
    expect(row(page, running)).to_be_visible()
    page.locator("button.chip.s-failed").click()
    expect(row(page, running)).to_have_count(0)
    page.get_by_role("searchbox").fill("men")
    page.wait_for_url("**/jobs?state=failed&q=men")
    page.reload()
    expect(row(page, failed)).to_be_visible()
    expect(row(page, running)).to_have_count(0)
    expect(page.locator("button.chip.s-failed")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("searchbox")).to_have_value("men")
    page.get_by_role("searchbox").fill("nothing like it")
    expect(page.get_by_test_id("empty")).to_be_visible()


def test_no_page_scrolls_sideways_on_a_phone(site: Site, open_page: Callable[..., Page]) -> None:
    (site.folder / "go").touch()
    job, failed = site.enqueue("draw", prompt="an orc " * 40), site.enqueue("mend")
    page = open_page("/jobs", viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    expect(state(row(page, job))).to_have_attribute("data-state", "completed")
    site.send(
        "PUT", "/limits", {"key": f"provider:{'long' * 30}", "running": 1, "starts": 60, "period": 60, "burst": 9}
    )
    site.send("PUT", "/tenants", {"name": "long-name-" * 12, "weight": 3})
    site.send("PUT", f"/schedules/{'nightly-' * 12}", {"cron": "0 7 * * *", "job": {"task": "mend"}})
    site.send("POST", "/jobs", {"task": "mend", "workflow": "trio"})
    pages = ("/queues", "/workers", "/limits", "/tenants", "/schedules", "/workflows/trio")
    for path in ("/", "/jobs", f"/jobs/{job}", f"/jobs/{failed}", *pages):
        page.goto(path)
        live(page)
        expect(page.locator("main h1, main .panel").first).to_be_visible()
        width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width == [360, 360], path


def test_the_colours_follow_the_system_until_chosen_and_the_choice_lasts(
    site: Site, open_page: Callable[..., Page]
) -> None:
    def background(page: Page) -> int:
        red, green, blue = page.evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number)"
        )[:3]
        return red + green + blue

    page = open_page("/", color_scheme="dark")
    live(page)
    dark = background(page)
    page.get_by_test_id("theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    light = background(page)
    assert dark < light
    page.reload()
    live(page)
    assert background(page) == light
    page.get_by_test_id("theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert background(page) == dark
