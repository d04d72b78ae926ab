"""What an operator sets and looks after in the dashboard: limits, tenants, schedules, workflows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from stanchion.security.tokens import digest, mint, parse
from tests.e2e.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.conftest import Complaints


SLOTS = 10


def limit(page: Page, key: str) -> Locator:
    return page.locator(f'[data-testid="limit-row"][data-key="{key}"]')


def limits(site: Site) -> dict[str, Any]:
    return {one["key"]: one for one in site.send("GET", "/limits")["items"]}


def test_a_limit_is_set_and_shows_who_runs_and_who_waits(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page("/limits")
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.get_by_test_id("new-limit").click()
    page.get_by_label("Key").fill("task:wait")
    page.get_by_label("At most so many at once").fill("1")
    page.get_by_test_id("confirm").click()
    expect(limit(page, "task:wait")).to_be_visible()
    jobs = [site.enqueue("wait") for _ in range(3)]
    row = limit(page, "task:wait")
    expect(row.get_by_role("meter")).to_have_attribute("aria-valuetext", "1 of 1 in use")
    expect(row.locator(".waiting-cell")).to_have_text("2")
    running = next(job for job in jobs if site.state(job) == "running")
    held = next(job for job in jobs if job != running)
    page.goto(f"/jobs/{held}")
    expect(page.get_by_test_id("job-position")).to_contain_text("At the limit of the task wait")


def test_a_limit_that_cannot_be_is_refused_in_the_dialog_and_can_be_mended_there(
    site: Site, open_page: Callable[..., Page], complaints: list[Complaints]
) -> None:
    page = open_page("/limits")
    complaints[0].offline = True  # the browser tells of each refused request
    page.get_by_test_id("new-limit").click()
    page.get_by_label("Key").fill("provider:x")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_role("dialog").get_by_test_id("problem")).to_be_visible()
    page.get_by_label("At most so many at once").fill("2")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert limits(site)["provider:x"]["running"] == 2
    complaints[0].seen = [text for text in complaints[0].seen if "422" not in text and "400" not in text]


def test_a_key_is_parked_unparked_and_its_limit_removed_after_a_question(
    site: Site, open_page: Callable[..., Page]
) -> None:
    site.send("PUT", "/limits", {"key": "provider:x", "running": 2})
    page = open_page("/limits")
    row = limit(page, "provider:x")
    row.get_by_test_id("park").click()
    page.get_by_label("How long").select_option("3600")
    page.get_by_test_id("confirm").click()
    expect(row).to_contain_text("parked, ends in 5")
    assert limits(site)["provider:x"]["parked_until"] is not None
    row.get_by_test_id("unpark").click()
    expect(row.get_by_test_id("park")).to_be_visible()
    assert limits(site)["provider:x"]["parked_until"] is None
    remove = row.get_by_role("button", name="Remove the limit of provider:x")
    remove.click()
    page.get_by_role("button", name="Keep as is").click()
    assert limits(site)["provider:x"]["running"] == 2
    remove.click()
    page.get_by_test_id("confirm").click()
    expect(row).to_have_count(0)
    assert limits(site) == {}


def test_tenants_show_their_jobs_and_get_a_weight(site: Site, open_page: Callable[..., Page]) -> None:
    site.send("PUT", "/limits", {"key": "task:wait", "running": 1})
    for tenant in ("studio", "studio", "hobby", "hobby"):
        site.send("POST", "/jobs", {"task": "wait", "tenant": tenant})
    page = open_page("/tenants")
    studio = page.locator('[data-tenant="studio"]')
    expect(studio).to_be_visible()
    studio.get_by_test_id("edit-tenant").click()
    page.get_by_label("Weight").fill("3")
    page.get_by_label("Most urgent priority").select_option("5")
    page.get_by_test_id("confirm").click()
    expect(studio.locator(".share-cell")).to_contain_text("75 %")
    expect(studio).to_contain_text("Normal")
    found = {one["name"]: one for one in site.send("GET", "/tenants")["items"]}
    assert (found["studio"]["weight"], found["studio"]["top_priority"], found["hobby"]["set"]) == (3, 5, False)
    studio.get_by_role("link", name="studio").click()
    page.wait_for_url("**/jobs?tenant=studio")
    expect(page.get_by_test_id("job-row")).to_have_count(2)


def test_a_schedule_is_paused_resumed_run_and_deleted(site: Site, open_page: Callable[..., Page]) -> None:
    site.send("PUT", "/schedules/nightly", {"cron": "0 7 * * *", "tz": "Europe/Berlin", "job": {"task": "mend"}})
    page = open_page("/schedules")
    row = page.locator('[data-schedule="nightly"]')
    expect(row).to_contain_text("0 7 * * *")
    expect(row).to_contain_text("Europe/Berlin")
    row.get_by_test_id("pause-schedule").click()
    expect(row).to_contain_text("paused")
    assert site.send("GET", "/schedules/nightly")["paused"] is True
    row.get_by_test_id("run-schedule").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("toasts")).to_contain_text("its job is enqueued")
    assert len(site.send("GET", "/jobs?task=mend")["items"]) == 1
    row.get_by_test_id("pause-schedule").click()
    expect(row.locator(".tag.warn")).to_have_count(0)
    row.get_by_role("button", name="Delete nightly").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("empty")).to_be_visible()
    assert site.send("GET", "/schedules")["items"] == []


def test_a_workflow_is_reached_from_its_job_and_shown_in_steps_as_it_moves(
    site: Site, open_page: Callable[..., Page]
) -> None:
    first = site.send("POST", "/jobs", {"task": "draw", "args": {"prompt": "an orc"}, "workflow": "pair"})["id"]
    second = site.send("POST", "/jobs", {"task": "wait", "workflow": "pair", "depends_on": [first]})["id"]
    page = open_page(f"/jobs/{second}")
    expect(page.get_by_test_id("job-position")).to_contain_text("Waits for a job it depends on: draw")
    expect(page.get_by_test_id("job-family")).to_contain_text("draw")
    page.get_by_test_id("workflow-link").click()
    page.wait_for_url("**/workflows/pair")
    expect(page.get_by_test_id("workflow-progress")).to_have_text("0 of 2 jobs ended")
    expect(page.locator(".step").nth(0)).to_contain_text("draw")
    expect(page.locator(".step").nth(1)).to_contain_text("after")
    (site.folder / "go").touch()
    row = page.locator(f'[data-testid="workflow-job"][data-job="{second}"]')
    expect(row.get_by_test_id("job-state")).to_have_attribute("data-state", "running")
    expect(page.get_by_test_id("workflow-progress")).to_have_text("1 of 2 jobs ended")
    page.get_by_test_id("workflow-cancel").click()
    page.get_by_test_id("confirm").click()
    expect(row.get_by_test_id("job-state")).to_have_attribute("data-state", "cancelled")
    expect(page.get_by_test_id("workflow-progress")).to_have_text("2 of 2 jobs ended")


def test_the_overview_shows_the_line_the_tenants_and_the_limits(site: Site, open_page: Callable[..., Page]) -> None:
    site.send("PUT", "/limits", {"key": "task:mend", "running": 0})
    for _ in range(3):
        site.enqueue("mend")
    taken = [site.enqueue("wait") for _ in range(SLOTS)]
    for job in taken:
        site.until(job, "running")
    for tenant in ("studio", "hobby"):
        site.send("POST", "/jobs", {"task": "wait", "tenant": tenant})
    page = open_page("/")
    expect(page.get_by_test_id("tenants-panel")).to_contain_text("studio")
    expect(page.get_by_test_id("limits-panel")).to_contain_text("3 jobs waiting")
    line = page.get_by_test_id("line-panel").get_by_role("listitem")
    expect(line).to_have_count(2)
    expect(line.first).to_have_text(re.compile("^1waitstudio"))
    expect(line.last).to_have_text(re.compile("^2waithobby"))


def test_the_queues_tell_how_many_workers_they_need_and_that_they_are_full(
    site: Site, open_page: Callable[..., Page]
) -> None:
    site.send("PATCH", "/queues/other", {"max_waiting": 1, "paused": True})
    site.send("POST", "/jobs", {"task": "wait", "queue": "other"})
    page = open_page("/queues")
    card = page.locator('[data-queue="other"]')
    expect(card.get_by_test_id("wanted")).to_contain_text("Needs 0 workers, has 1; 1 job is held")
    expect(card.get_by_test_id("overflow")).to_contain_text("Full: new jobs are refused")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """A server with a key that may only read jobs."""
    text = mint("live")
    token = parse(text)
    assert token is not None
    file = tmp_path / "keys.toml"
    key = f'[[key]]\nid = "{token.id}"\ndigest = "{digest(token.secret).hex()}"\nscopes = ["jobs:read"]\n'
    file.write_text(key)
    file.chmod(0o600)
    made = Site(tmp_path, {"STANCHION_KEYS_FILE": str(file)})
    made.start()
    yield made, text
    made.stop()


def test_a_key_that_may_not_is_told_which_scope_it_lacks(reader: tuple[Site, str], browser: Browser) -> None:
    site, key = reader
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.goto("/limits")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_test_id("problem")).to_contain_text("Your key does not allow this")
    expect(page.get_by_test_id("problem")).to_contain_text("admin:limits")
    expect(page.get_by_test_id("new-limit")).to_be_disabled()
    expect(page.get_by_test_id("new-limit")).to_have_attribute("title", "Your key lacks the scope admin:limits")
    page.goto("/")
    expect(page.get_by_test_id("tile-queued")).to_be_visible()
    expect(page.get_by_test_id("problem")).to_have_count(0)
    context.close()


def test_on_a_phone_the_other_pages_stand_behind_a_button(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page("/", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    more = page.get_by_test_id("nav-more")
    expect(page.get_by_role("link", name="Schedules")).to_be_hidden()
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Schedules")).to_be_hidden()
    more.click()
    page.get_by_role("link", name="Schedules").click()
    page.wait_for_url("**/schedules")
    expect(page.get_by_role("heading", name="Schedules", exact=True)).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "false")
