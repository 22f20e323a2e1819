"""The processes under the clients: the provider, and the gateway in front of it, in the clear and behind TLS."""

import contextlib
import json
import os
import secrets
import subprocess
import threading
import urllib.request
from pathlib import Path

import providers

PATIENCE = 60

SETTINGS = """
[organization]
name = "Conformance"

[[project]]
slug = "conformance"

[[api_key]]
name = "plenty"
project = "conformance"
key = { env = "PLENTY_KEY" }

[[api_key]]
name = "spent"
project = "conformance"
key = { env = "SPENT_KEY" }
limits = { total = "0.000000001" }
"""

TLS = """
[server]
tls = {{ certificate = "{directory}/certificate.pem", key = "{directory}/key.pem" }}
"""


class Process:
    """A process that says `listening on http…` and dies with the run. What it says is kept in `log`."""

    def __init__(self, command: list, log: Path, **options) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.child = subprocess.Popen([str(word) for word in command], text=True, **pipes, **options)
        self.log = log
        self.lines: list[str] = []
        self.url = ""
        self.told = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()
        if not self.told.wait(PATIENCE) or not self.url:
            self.child.kill()
            raise SystemExit(f"{command[0]} never listened:\n" + "\n".join(self.lines))

    def read(self) -> None:
        with self.log.open("w", buffering=1) as log:
            for line in self.child.stdout:
                self.lines.append(line.rstrip())
                log.write(line)
                _, found, rest = line.partition("listening on http")
                if found and not self.url:
                    self.url = "http" + rest.split()[0]
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


class Upstream(Process):
    """The scripted provider. It leaves its certificates in `directory`."""

    def __init__(self, program: Path, directory: Path) -> None:
        self.directory = directory
        super().__init__([program, directory], directory / "upstream.log")
        behind = (line.partition("behind TLS at ")[2] for line in self.lines)
        self.secure_url = next(url for url in behind if url)
        self.accounts = self.control("_accounts") | {"authority": self.secure_url}
        self.providers = providers.providers(self.accounts)

    def control(self, path: str, body: dict | None = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/{path}", data=data, timeout=PATIENCE) as answer:
            return json.load(answer)

    def demand_credentials(self, slugs: set[str] | None = None) -> None:
        """Of every provider, or of these."""
        for provider in self.providers:
            if slugs is None or provider.slug in slugs:
                self.control("_demand", {"under": f"/{provider.slug}/", "demand": provider.demand})


class Gateway(Process):
    """The real binary with a data directory of its own, in front of `upstream`."""

    def __init__(self, program: Path, directory: Path, upstream: Upstream, tls: bool = False) -> None:
        directory.mkdir()
        self.program = program
        self.plenty = "plenty-" + secrets.token_hex(16)
        self.spent = "spent-" + secrets.token_hex(16)
        (directory / "service-account.json").write_text(upstream.accounts["service_account"])
        # The machine's own identity trusts the machine's own authorities, and ours is none of them.
        in_the_clear = upstream.accounts["authorized_user"].replace(upstream.secure_url, upstream.url)
        (directory / "authorized-user.json").write_text(in_the_clear)
        declared = (
            provider.settings(upstream.url, upstream.secure_url, upstream.directory)
            for provider in upstream.providers
        )
        server = TLS.format(directory=upstream.directory) if tls else ""
        settings = directory / "tollgate.toml"
        settings.write_text(server + SETTINGS + "\n".join(declared) + providers.own_prices() + providers.groups())
        self.place = ["--config", settings, "--data-dir", directory / "data"]
        keys = {"PATH": os.environ["PATH"], "PLENTY_KEY": self.plenty, "SPENT_KEY": self.spent}
        self.environment = keys | providers.environment(directory)
        command = [program, "serve", *self.place, "--listen", "127.0.0.1:0"]
        super().__init__(command, directory / "gateway.log", env=self.environment, cwd=directory)

    def usage_by_model(self) -> dict[str, dict]:
        """What was used of each model, and what it cost, from the books of a gateway that may have stopped."""
        command = [str(word) for word in [self.program, "usage", "--by", "model", "--json", *self.place]]
        ended = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
        assert ended.returncode == 0, f"`tollgate usage` failed: {ended.stderr}"
        return {line["name"]: line for line in json.loads(ended.stdout)["lines"]}
