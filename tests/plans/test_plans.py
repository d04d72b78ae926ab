"""No statement looks at all jobs, events or payloads, and none sorts what an index could give in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from stanchion.stores.sqlite import (
    affinity_statements,
    aging_statements,
    batch_statements,
    cache_statements,
    estimate_statements,
    hold_statements,
    intake_statements,
    limit_statements,
    load_statements,
    schedule_statements,
)
from stanchion.stores.sqlite import join_statements as joining
from stanchion.stores.sqlite import statements as sql
from stanchion.stores.sqlite.connection import connect, disconnect, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stanchion.stores.sqlite.fetch import Connection

SMALL: Final = frozenset({
    "counters", "queues", "q", "lanes", "l", "workers", "w", "garbage",  # few rows, however many jobs there are
    "json_each", "t",  # a list that the caller gave
    "schedules",  # as many as people wrote
    "cache_sums",  # one row for each tenant and task
    "tenants",  # those with a policy, read when policies change
    "limits",  # policies, read when they change
    "usage", "u",  # keys that are in use, waited for or parked: upkeep forgets the others
    "x",  # a list that the store made
    "h",  # one row
    "n",  # a list that the caller gave
    "lessons",  # one row
    "durations",  # one row for each task and size class
    "resources", "r",  # what workers advertise and operators share
    "holds", "d",  # what runs and holds a resource: few
    "warnings",  # keys that are warned of
    "endings",  # parents whose children upkeep is telling
    "c", "chain",  # the events of the jobs that the caller named
})  # fmt: skip
PARTIAL: Final = re.compile(r"SCAN j USING (?:COVERING )?INDEX jobs_(?:queued|running|due|blocked|failed|cancelled)")
"""An index that holds the jobs of one state alone."""

SORTS: Final = {
    "COUNTS": "queues are few",
    "KINDS": "lanes of one queue, into as many groups as it has tasks and priorities",
    "OVERDUE": "running jobs are few",
    "RUNNING_BY_LANE": "likewise",
    "DUE_KEYS": "keys that fall due are few",
    "JOB_ARTIFACTS": "the artifacts of the jobs that the caller named",
    "ARTIFACTS_OF": "likewise",
    "PAGE_OF_IDS": "the jobs that the caller named",
    "PAGE_BY_INDEX[1]": "only used while few jobs are in the state",
    "PAGE_BY_INDEX[2]": "likewise",
    "PAGE_BY_INDEX[3]": "likewise",
    "PAGE_BY_INDEX[4]": "likewise",
    "HISTORY": "one job's events",
    "LOGS": "one job's lines",
    "FLOW": "at most SAMPLE events, into as many groups as there are queues",
    "FLOW_SAMPLE": "likewise",
    "LOADS": "likewise",
    "LOADS_SAMPLE": "likewise",
    "HELD_JOBS": "queues are few",
    "WORKFLOW_COUNTS": "eight states",
    "OUTLINE": "likewise",
    "UPCOMING": "lanes that may start, not their jobs",
}
"""The statements that may sort, and why."""


def statements() -> Iterator[tuple[str, str]]:
    """Every statement by name; those that end in VALUES with one row."""
    everything = (
        vars(sql)
        | vars(schedule_statements)
        | vars(joining)
        | vars(cache_statements)
        | vars(limit_statements)
        | vars(estimate_statements)
        | vars(hold_statements)
        | vars(affinity_statements)
    )
    everything |= vars(load_statements) | vars(batch_statements)
    everything |= vars(aging_statements) | vars(intake_statements)
    for name, value in everything.items():
        if not name.isupper() or name.startswith("_") or name.endswith("_ROW"):
            continue
        if isinstance(value, str):
            rows = vars(sql) | vars(joining)
            row = rows.get(f"{name.removeprefix('ADD_')}_ROW", "") if value.rstrip().endswith("VALUES") else ""
            yield name, value + row
        else:
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            yield from ((f"{name}[{key}]", text) for key, text in parts)


ALL: Final = dict(statements())


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    path = tmp_path_factory.mktemp("plans") / "t.db"
    made = connect(path, synchronous="off")
    migrate(made)
    yield made
    disconnect(path, made)


def plan(db: Connection, name: str) -> list[str]:
    """What the planner says of a statement, in lines; it does not look at values."""
    text = ALL[name]
    numbered = set(re.findall(r"\?\d+", text))
    values = (None,) * (len(numbered) or text.count("?"))
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {text}", values)]


def test_all_statements_are_looked_at() -> None:
    assert len(ALL) > 100
    assert SORTS.keys() <= ALL.keys()


@pytest.mark.parametrize("name", ALL)
def test_no_statement_reads_a_growing_table_as_a_whole(db: Connection, name: str) -> None:
    for line in plan(db, name):
        found = re.match(r"SCAN (\w+)", line)
        assert found is None or found[1] in SMALL or PARTIAL.match(line), line


def test_only_statements_over_few_rows_sort(db: Connection) -> None:
    sorting = {name for name in ALL if any("TEMP B-TREE" in line for line in plan(db, name))}
    assert sorting == SORTS.keys()


HOT: Final = {
    "NEXT_QUEUE": "shares_open",
    "NEXT_PRIORITY": "shares_open",
    "NEXT_HEADS": "jobs_queued",
    "BAND_SHARES": "shares_open",
    "SHARE_LANES": "lanes_ready",
    "OPEN_SHARE": "lanes_ready",
    "CLOSE_SHARE": "lanes_ready",
    "RUN": "jobs_queued",
    "LEASES": "PRIMARY KEY",
    "LANE_MOVED": "jobs_queued",
    "WAITERS": "lanes_waiting",
    "DUE_KEYS": "usage_wakes",
    "OPEN_KEYS": "usage_open",
    "NEXT_WAKE": "usage_wakes",
    "USAGE": "PRIMARY KEY",
    "NEXT_DUE": "jobs_due",
    "OFFERS": "jobs_queued",
    "MATES": "lanes_batch",
    "MATES_OF_TENANT": "lanes_batch_own",
    "COMING": "jobs_due",
    "DUE": "jobs_due",
    "DUE_SCHEDULES": "schedules_next",
    "NEXT_TICK": "schedules_next",
    "FIRING": "PRIMARY KEY",
    "EXPIRED": "jobs_expiring",
    "BY_ID": "jobs_id",
    "HELD": "jobs_running",
    "OVERDUE": "jobs_running",
    "LIVE_SINCE": "live_rev",
    "OPEN_EDGES": "dependencies_open",
    "NEEDED": "dependencies_parent",
    "REOPEN": "dependencies_parent",
    "CHILDREN": "dependencies_parent",
    "PAGE_OF_WORKFLOW": "PRIMARY KEY",
    "WORKFLOW_COUNTS": "PRIMARY KEY",
    "OUTLINE": "PRIMARY KEY",
    "OUTLINE_EDGES": "PRIMARY KEY",
    "CENSUS": "lanes_tenant",
    "UPCOMING": "jobs_queued",
    "WORKFLOWS": "members_job",
    "RUNNING": "PRIMARY KEY",
    "HEAD": "cache_1",
    "ENTRY": "cache_1",
    "ENTRY_OUTPUTS": "PRIMARY KEY",
    "KEPT_FROM": "PRIMARY KEY",
    "STALE": "cache_until",
    "COLDEST": "cache_used",
    "ARTIFACT_USED": "cache_artifact",
    "EVENTS_SINCE": "PRIMARY KEY",
    "OUTPUTS_SINCE": "PRIMARY KEY",
    "LESSONS": "PRIMARY KEY",
    "SIZES": "jobs_queued",
    "LANES_THAT_AGE": "lanes_key",
    "AGES": "jobs_queued",
    "CONTENDERS": "conflicts_open",
    "CONFLICT_OF": "PRIMARY KEY",
    "STRIKES": "PRIMARY KEY",
    "SLOWED": "strikes_forget",
    "OLD_STRIKES": "strikes_forget",
    "OWN_LANE": "lanes_key",
    "SHARE_STANDS": "shares_key",
    "RUNS": "jobs_running",
}
"""The index that finds the rows of each claim, settlement, enqueue and look at the feed."""


@pytest.mark.parametrize("name", HOT)
def test_hot_statements_use_the_index_that_was_made_for_them(db: Connection, name: str) -> None:
    assert any(re.search(rf"USING .*{HOT[name]}\b", line) for line in plan(db, name)), plan(db, name)
