"""Run the code of one page in the current folder: `driver.py STEPS.json`, one event loop, one namespace.

Python runs as `python -m asyncio` would run it, with `await` at the top level; a block with a title becomes a
file of that name; a console block runs in a shell, in the background where it says so.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Final

PATIENCE: Final = 25.0
_PORT: Final = "8080"
_SERVING: Final = re.compile(r"^(stanchion (?:serve|dev)\b(?!.*--port)[^&|\n]*)$", re.MULTILINE)


def free_port() -> str:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class Page:
    """One page as it runs."""

    def __init__(self, name: str) -> None:
        self.name, self.port = name, free_port()
        self.space: dict[str, Any] = {"__name__": "__page__"}
        self.children: list[asyncio.subprocess.Process] = []

    async def run(self, steps: list[dict[str, Any]]) -> None:
        """Run the steps in order, then end what still runs."""
        try:
            for step in steps:
                print(f"--- {self.name}:{step['line']}", flush=True)
                await getattr(self, step["kind"])(step)
        finally:
            await self._end()

    async def file(self, step: dict[str, Any]) -> None:
        """Write a file that the page names."""
        await asyncio.to_thread(Path(step["title"]).write_text, step["text"].replace(_PORT, self.port))

    async def python(self, step: dict[str, Any]) -> None:
        """Run a snippet; its lines count as on the page."""
        text = "\n" * step["line"] + step["text"].replace(_PORT, self.port)
        code = compile(text, self.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        answer = eval(code, self.space)
        if inspect.iscoroutine(answer):
            async with asyncio.timeout(PATIENCE):
                await answer

    async def console(self, step: dict[str, Any]) -> None:
        """Run the commands of a console block."""
        text = _SERVING.sub(rf"\1 --port {self.port}", commands(step["text"])).replace(f" {_PORT}", f" {self.port}")
        text = text.replace(f":{_PORT}", f":{self.port}")
        background = step["background"]
        child = await asyncio.create_subprocess_exec(
            "sh", "-euc", ("exec " if background else "") + text, start_new_session=True,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self.children.append(child)
        assert child.stdout is not None
        async with asyncio.timeout(PATIENCE):
            if background:
                while b"workers " not in (line := await child.stdout.readline()) and b"started" not in line:
                    print(line.decode(), end="", flush=True)
                    assert line, f"{text!r} ended before it was ready"
                return
            said = await child.stdout.read()
            code = await child.wait()
        print(said.decode(), flush=True)
        assert code == step["exit"], f"{text!r} ended with {code}"

    async def _end(self) -> None:
        app = self.space.get("app")
        if app is not None:
            await app.close()
        for child in self.children:
            if child.returncode is None:
                child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                async with asyncio.timeout(5):
                    await child.communicate()
            except TimeoutError:
                os.killpg(child.pid, signal.SIGKILL)


def commands(text: str) -> str:
    """The commands of a console block, without prompts and output."""
    kept: list[str] = []
    more = False
    for line in text.splitlines():
        if line.startswith("$ ") or more:
            kept.append(line.removeprefix("$ ") if not more else line.removeprefix("> "))
            more = line.endswith("\\")
    return "\n".join(kept)


if __name__ == "__main__":
    sys.path.insert(0, "")
    given = json.loads(Path(sys.argv[1]).read_text())
    asyncio.run(Page(given["name"]).run(given["steps"]))
