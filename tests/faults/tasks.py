"""The app that worker children load in fault tests: handlers that leave traces, hang, die or hold the interpreter."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from typing import Final

from stanchion import Context, Stanchion, SyncContext
from stanchion.domain.policy import PROFILES, LeaseProfile
from tests.faults.effects import record

EFFECTS: Final = os.environ.get("FAULTS_EFFECTS", "/dev/null")
if "FAULTS_LEASE" in os.environ:  # lease and beat in ms
    PROFILES["fast"] = LeaseProfile(*map(int, os.environ["FAULTS_LEASE"].split(",")))

app = Stanchion()


@app.task
async def work(ctx: Context, ms: int) -> int:
    record(EFFECTS, "S", ctx.job.id, ctx.attempt)
    await asyncio.sleep(ms / 1000)
    record(EFFECTS, "E", ctx.job.id, ctx.attempt)
    return ctx.attempt


@app.task
async def die(ctx: Context, how: str) -> None:
    record(EFFECTS, "S", ctx.job.id, ctx.attempt)
    await asyncio.sleep(0.02)
    end(how)


@app.task(isolation="process")
def die_alone(ctx: SyncContext, how: str) -> None:
    record(EFFECTS, "S", ctx.job.id, ctx.attempt)
    end(how)


@app.task
async def block(ctx: Context, how: str, ms: int) -> int:
    record(EFFECTS, "S", ctx.job.id, ctx.attempt)
    if how == "loop":
        time.sleep(ms / 1000)  # noqa: ASYNC251 - the fault under test
    else:
        hold_interpreter(ms / 1000)
    record(EFFECTS, "E", ctx.job.id, ctx.attempt)
    return ctx.attempt


def hold_interpreter(seconds: float) -> None:
    """Keep every other thread of this process from running: one C call that never gives the lock up."""
    until = time.monotonic() + seconds
    letters = 20
    while time.monotonic() < until:
        began = time.monotonic()
        re.match(r"(a+)+b", "a" * letters)
        took = time.monotonic() - began
        if took * 2 < until - time.monotonic():
            letters += 1


def end(how: str) -> None:
    if how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)
