"""The two processes under the clients: the provider and the gateway."""

import contextlib
import json
import os
import secrets
import subprocess
import threading
import urllib.request
from pathlib import Path

PATIENCE = 60

SETTINGS = """
[organization]
name = "Conformance"

[[project]]
slug = "conformance"

[[provider]]
slug = "openai"
kind = "openai"
base_url = "{upstream}/v1"
credential = {{ value = "operator-openai" }}
report_cost = "body"

[[provider]]
slug = "anthropic"
kind = "anthropic"
base_url = "{upstream}"
credential = {{ value = "operator-anthropic" }}
report_cost = "body"

[[provider]]
slug = "google"
kind = "google-gemini"
base_url = "{upstream}"
credential = {{ value = "operator-google" }}
report_cost = "body"

[[api_key]]
name = "plenty"
project = "conformance"
key = {{ env = "PLENTY_KEY" }}

[[api_key]]
name = "spent"
project = "conformance"
key = {{ env = "SPENT_KEY" }}
limits = {{ total = "0.000000001" }}
"""


class Process:
    """A process that says `listening on http://…` and dies with the run."""

    def __init__(self, command: list, **options) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.child = subprocess.Popen([str(word) for word in command], text=True, **pipes, **options)
        self.lines: list[str] = []
        self.url = ""
        self.told = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()
        if not self.told.wait(PATIENCE) or not self.url:
            self.child.kill()
            raise SystemExit(f"{command[0]} never listened:\n" + "\n".join(self.lines))

    def read(self) -> None:
        for line in self.child.stdout:
            self.lines.append(line.rstrip())
            _, found, rest = line.partition("listening on http://")
            if found and not self.url:
                self.url = "http://" + rest.split()[0]
                self.told.set()
        self.told.set()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_) -> None:
        self.child.terminate()
        with contextlib.suppress(OSError):
            self.child.stdin.close()
        try:
            self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()


def upstream(program: Path) -> Process:
    return Process([program])


class Gateway(Process):
    """The real binary with a data directory of its own, in front of `upstream`."""

    def __init__(self, program: Path, directory: Path, upstream_url: str) -> None:
        self.program = program
        self.plenty = "plenty-" + secrets.token_hex(16)
        self.spent = "spent-" + secrets.token_hex(16)
        settings = directory / "tollgate.toml"
        settings.write_text(SETTINGS.format(upstream=upstream_url))
        self.place = ["--config", settings, "--data-dir", directory / "data"]
        self.environment = {"PATH": os.environ["PATH"], "PLENTY_KEY": self.plenty, "SPENT_KEY": self.spent}
        command = [program, "serve", *self.place, "--listen", "127.0.0.1:0"]
        super().__init__(command, env=self.environment, cwd=directory)

    def usage_by_model(self) -> dict[str, dict]:
        """What was used of each model, and what it cost, from the books of a gateway that may have stopped."""
        command = [str(word) for word in [self.program, "usage", "--by", "model", "--json", *self.place]]
        ended = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
        assert ended.returncode == 0, f"`tollgate usage` failed: {ended.stderr}"
        return {line["name"]: line for line in json.loads(ended.stdout)["lines"]}


def requests(upstream_url: str, since: int = 0) -> list[dict]:
    """What the provider received."""
    with urllib.request.urlopen(f"{upstream_url}/_requests?since={since}", timeout=PATIENCE) as answer:
        return json.load(answer)
