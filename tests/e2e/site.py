"""A real server with a worker, in processes of their own, on a file in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from pathlib import Path

TASKS: Final = """
import asyncio
from pathlib import Path
from stanchion import Context, Image, Stanchion, TaskError
from stanchion.demo.sprites import png, render

app = Stanchion("sqlite:///jobs.db")

async def gate(name: str) -> None:
    while not Path(name).exists():
        await asyncio.sleep(0.02)

@app.task(queue="images")
async def draw(ctx: Context, prompt: str) -> Image:
    data = b""
    for step in render(prompt, size=64, seed=0, palette=None):
        data = png(step.pixels)
        await ctx.progress(step.index, step.length, unit="step", stage=step.stage)
        await ctx.preview(data, step=step.index)
        if step.index * 2 >= step.length:
            await gate("go")
    return Image(data, name="orc.png")

@app.task
async def wait() -> None:
    await asyncio.Event().wait()

@app.task(retry=1)
async def mend() -> str:
    if not Path("mended").exists():
        raise TaskError("the <b>plug</b> is out", kind="validation")
    return "mended"
"""


class Site:
    """The server, and what a test asks of it beside the browser."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder, self.settings = folder, settings or {}
        (folder / "tasks.py").write_text(TASKS)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("STANCHION_")}
        environ |= self.settings
        command = ["serve", "tasks:app", "--port", str(self.port), "--workers", "1", "--grace", "0", "--json"]
        with (self.folder / "server.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "stanchion", *command],
                cwd=self.folder,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        assert json.loads(self.process.stdout.readline())["event"] == "serving"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/api/v1/health/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise AssertionError((self.folder / "server.log").read_text())

    def stop(self) -> None:
        """Stop it, and wait for its end."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def enqueue(self, task: str, **arguments: Any) -> str:
        """Enqueue a job; return its id."""
        return self.send("POST", "/jobs", {"task": task, "args": arguments})["id"]

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the API, and return its answer."""
        answer = httpx.request(method, f"{self.url}/api/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def state(self, job: str) -> str:
        """Ask for a job's state."""
        return httpx.get(f"{self.url}/api/v1/jobs/{job}").json()["state"]

    def until(self, job: str, state: str) -> None:
        """Wait for a job to be in a state."""
        deadline = time.monotonic() + 15
        while self.state(job) != state:
            assert time.monotonic() < deadline, f"{job} is {self.state(job)}"
            time.sleep(0.02)
