"""Runs the clients against the gateway, or with --direct against the provider behind it. Standard library only.

    python3 conformance/run.py [--direct] [--only NAME]

Clients run at the same time, each on a provider and a gateway that no other client uses meanwhile. The last line is
`N passed, N failed`.
"""

import argparse
import collections
import concurrent.futures
import os
import queue
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import books
import environments
import servers

HERE = Path(__file__).resolve().parent
PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target")) / "debug"


@dataclass(frozen=True)
class Client:
    # Where its interpreter comes from: a file in requirements/.
    environment: str
    # AWS's libraries send bearer keys over TLS only.
    tls: bool = False


# By the name of the file in clients/; the slowest first.
CLIENTS = {
    "claude_code": Client("sdks"),
    "pydantic_ai_2": Client("pydantic-ai-2", tls=True),
    "pydantic_ai_1": Client("pydantic-ai-1", tls=True),
    "openai_sdk": Client("sdks"),
    "openai_media_sdk": Client("sdks"),
    "azure_openai_sdk": Client("sdks"),
    "anthropic_sdk": Client("sdks"),
    "anthropic_clouds_sdk": Client("sdks", tls=True),
    "boto3_sdk": Client("sdks", tls=True),
    "google_genai_sdk": Client("sdks"),
    "google_genai_vertex_sdk": Client("sdks"),
    "groq_sdk": Client("sdks"),
    "mistral_sdk": Client("sdks"),
    "huggingface_sdk": Client("sdks"),
    "ollama_sdk": Client("sdks"),
    "objects_sdk": Client("sdks"),
    "openai_clouds_sdk": Client("sdks"),
}
AT_ONCE = 2
CLIENT_SECONDS = 300
TALLY = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)


class Stage:
    """A provider and the gateways in front of it, for one client after the other."""

    def __init__(self, directory: Path, direct: bool) -> None:
        directory.mkdir()
        self.upstream = servers.Upstream(PROGRAMS / "testkit-upstream", directory)
        self.gateways: dict[bool, servers.Gateway] = {}
        if direct:
            # The SDK signs for itself: it and our own arithmetic must agree.
            self.upstream.demand_credentials({"bedrock"})
            return
        self.upstream.demand_credentials()
        for tls in (False, True):
            place = directory / ("tls" if tls else "clear")
            self.gateways[tls] = servers.Gateway(PROGRAMS / "tollgate", place, self.upstream, tls)

    def environment(self, tls: bool) -> dict[str, str]:
        """What a client is told of it."""
        authority = str(self.upstream.directory / "authority.pem")
        told = {
            "CONFORMANCE_UPSTREAM": self.upstream.url,
            "SSL_CERT_FILE": authority,
            "AWS_CA_BUNDLE": authority,
            "NODE_EXTRA_CA_CERTS": authority,
        }
        if not self.gateways:
            return told | {"CONFORMANCE_BASE": self.upstream.url, "CONFORMANCE_KEY": "k", "CONFORMANCE_SPENT_KEY": "s"}
        gateway = self.gateways[tls]
        return told | {
            "CONFORMANCE_BASE": gateway.url,
            "CONFORMANCE_KEY": gateway.plenty,
            "CONFORMANCE_SPENT_KEY": gateway.spent,
            "CONFORMANCE_GATEWAY_LOG": str(gateway.log),
        }

    def stop(self) -> None:
        """The gateways write everything down; the provider stays."""
        for gateway in self.gateways.values():
            gateway.__exit__()


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--direct", action="store_true", help="without the gateway")
    arguments.add_argument("--only", choices=CLIENTS, help="one client")
    options = arguments.parse_args()
    names = [options.only] if options.only else list(CLIENTS)
    pythons = {name: environments.python(CLIENTS[name].environment) for name in names}
    pricer = environments.python("sdks")
    environment = {"CONFORMANCE_PRICE_PYTHON": str(pricer), "PYTHONPATH": str(HERE), "PYTHONUNBUFFERED": "1"}
    if "claude_code" in names:
        environment["CONFORMANCE_CLAUDE"] = str(environments.claude_code())
    with tempfile.TemporaryDirectory() as directory:
        count = min(AT_ONCE, len(names))
        stages = [Stage(Path(directory) / f"stage-{number}", options.direct) for number in range(count)]
        try:
            total = run_clients(names, pythons, environment, stages)
            for stage in stages:
                stage.stop()
                total += check_books(stage, pricer)
        finally:
            for stage in stages:
                stage.stop()
                stage.upstream.__exit__()
    name = "10,000 random usages cost what genai-prices says"
    total += run_check(name, lambda: books.random_prices(pricer, PROGRAMS))
    print(f"{total['passed']} passed, {total['failed']} failed")
    return total["failed"] > 0


def run_clients(names: list, pythons: dict, environment: dict, stages: list[Stage]) -> collections.Counter:
    free: queue.SimpleQueue[Stage] = queue.SimpleQueue()
    for stage in stages:
        free.put(stage)

    def run(name: str) -> collections.Counter:
        stage = free.get()
        try:
            return run_client(name, pythons[name], environment | stage.environment(CLIENTS[name].tls))
        finally:
            free.put(stage)

    with concurrent.futures.ThreadPoolExecutor(len(stages)) as pool:
        return sum(pool.map(run, names), collections.Counter())


def run_client(name: str, python: Path, environment: dict) -> collections.Counter:
    """One client's file; what it printed is shown, its tally is counted, a crash is a failure."""
    # Nothing of the developer's own keys or proxies reaches a client.
    clean = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), "NO_PROXY": "127.0.0.1"} | environment
    command = [python, HERE / "clients" / f"{name}.py"]
    try:
        ended = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=CLIENT_SECONDS)
    except subprocess.TimeoutExpired as late:
        print(f"{name}\n  FAILED  {name} took longer than {CLIENT_SECONDS} s\n{late.stdout}", flush=True)
        return collections.Counter(failed=1)
    tally = TALLY.findall(ended.stdout)
    told = TALLY.sub("", ended.stdout).rstrip()
    if not tally:
        print(f"{name}\n{told}\n  FAILED  {name} crashed\n{ended.stderr}", flush=True)
        return collections.Counter(failed=1)
    print(f"{name}\n{told}", flush=True)
    passed, failed = tally[-1]
    return collections.Counter(passed=int(passed), failed=int(failed))


def check_books(stage: Stage, pricer: Path) -> collections.Counter:
    """What is known when the gateways have stopped."""
    log = stage.upstream.control("_requests")
    gateways = list(stage.gateways.values())
    total = run_check("the provider accepted every credential it demanded", lambda: books.accepted(log))
    if gateways:
        total += run_check("the gateways stop in order, without a panic", lambda: books.stopped(gateways))
        total += run_check("no credential of the gateway reached the provider", lambda: books.leaks(log, gateways))
        total += run_check(
            "what is recorded is what genai-prices says",
            lambda: books.prices(log, gateways, stage.upstream.providers, pricer),
        )
    return total


def run_check(name: str, check) -> collections.Counter:
    try:
        check()
    except Exception as wrong:
        print(f"  FAILED  {name}: {wrong!r}", flush=True)
        return collections.Counter(failed=1)
    print(f"  ok      {name}", flush=True)
    return collections.Counter(passed=1)


if __name__ == "__main__":
    sys.exit(main())
