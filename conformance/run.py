"""Runs the clients against the gateway, or with --direct against the provider behind it. Standard library only.

    python3 conformance/run.py [--direct] [--only NAME]

The last line is `N passed, N failed`.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import environments
import servers

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE.parent / "target" / "debug"

# A file in clients/, and the environment its interpreter comes from.
CLIENTS = {
    "openai_sdk": "sdks",
    "anthropic_sdk": "sdks",
    "google_genai_sdk": "sdks",
    "pydantic_ai_2": "pydantic-ai-2",
    "pydantic_ai_1": "pydantic-ai-1",
    "claude_code": "sdks",
}
CLIENT_SECONDS = 300
TALLY = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
# The provider breaks these off before it tells their usage: the gateway can only estimate.
BROKEN = re.compile(r"\[(error|cut|reset|stall)=")


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--direct", action="store_true", help="without the gateway")
    arguments.add_argument("--only", choices=CLIENTS, help="one client")
    options = arguments.parse_args()
    names = [options.only] if options.only else list(CLIENTS)
    pythons = {CLIENTS[name]: environments.python(CLIENTS[name]) for name in names}
    pricer = environments.python("sdks")
    environment = {"CONFORMANCE_PRICE_PYTHON": str(pricer), "PYTHONPATH": str(HERE), "PYTHONUNBUFFERED": "1"}
    if "claude_code" in names:
        environment["CONFORMANCE_CLAUDE"] = str(environments.claude_code())
    total = collections.Counter()
    with tempfile.TemporaryDirectory() as directory, servers.upstream(PROGRAMS / "testkit-upstream") as upstream:
        environment["CONFORMANCE_UPSTREAM"] = upstream.url
        if options.direct:
            environment |= {"CONFORMANCE_BASE": upstream.url, "CONFORMANCE_KEY": "k", "CONFORMANCE_SPENT_KEY": "s"}
            for name in names:
                total += run_client(name, pythons[CLIENTS[name]], environment)
        else:
            with servers.Gateway(PROGRAMS / "tollgate", Path(directory), upstream.url) as gateway:
                environment |= {
                    "CONFORMANCE_BASE": gateway.url,
                    "CONFORMANCE_KEY": gateway.plenty,
                    "CONFORMANCE_SPENT_KEY": gateway.spent,
                }
                for name in names:
                    total += run_client(name, pythons[CLIENTS[name]], environment)
            # Stopped, it has written everything down.
            log = servers.requests(upstream.url)
            total += run_check("the gateway stops in order, without a panic", lambda: stopped(gateway))
            total += run_check("no credential of the gateway reached the provider", lambda: leaks(log, gateway))
            total += run_check("what is recorded is what genai-prices says", lambda: prices(log, gateway, pricer))
        total += run_check("10,000 random usages cost what genai-prices says", lambda: random_prices(pricer))
    print(f"{total['passed']} passed, {total['failed']} failed")
    return total["failed"] > 0


def run_client(name: str, python: Path, environment: dict) -> collections.Counter:
    """One client's file; what it printed is shown, its tally is counted, a crash is a failure."""
    print(f"{name}", flush=True)
    # Nothing of the developer's own keys or proxies reaches a client.
    clean = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), "NO_PROXY": "127.0.0.1"} | environment
    command = [python, HERE / "clients" / f"{name}.py"]
    try:
        ended = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=CLIENT_SECONDS)
    except subprocess.TimeoutExpired as late:
        print(f"  FAILED  {name} took longer than {CLIENT_SECONDS} s\n{late.stdout}")
        return collections.Counter(failed=1)
    tally = TALLY.findall(ended.stdout)
    print(TALLY.sub("", ended.stdout).rstrip(), flush=True)
    if not tally:
        print(f"  FAILED  {name} crashed\n{ended.stderr}", flush=True)
        return collections.Counter(failed=1)
    passed, failed = tally[-1]
    return collections.Counter(passed=int(passed), failed=int(failed))


def run_check(name: str, check) -> collections.Counter:
    try:
        check()
    except Exception as wrong:
        print(f"  FAILED  {name}: {wrong!r}", flush=True)
        return collections.Counter(failed=1)
    print(f"  ok      {name}", flush=True)
    return collections.Counter(passed=1)


def random_prices(pricer: Path) -> None:
    command = [pricer, HERE / "random_prices.py", PROGRAMS / "examples" / "price"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr.strip().splitlines()[-1]


def leaks(log: list[dict], gateway: servers.Gateway) -> None:
    for request in log:
        text = json.dumps(request)
        assert gateway.plenty not in text and gateway.spent not in text, f"a key reached {request['target']}"
        assert request["credential"].startswith("operator-"), f"{request['target']} came without our credential"


def prices(log: list[dict], gateway: servers.Gateway, pricer: Path) -> None:
    """By model, the provider's log and our records agree on tokens, and on the cost to the nano-dollar.

    A broken stream tells no usage and is estimated, so the clients break streams of models they use for nothing else.
    """
    rows = [bill(request) for request in log if request["input_tokens"]]
    broken = {bill(request)["model"] for request in log if BROKEN.search(request["body"])}
    command = [pricer, HERE / "price.py"]
    priced = subprocess.run(command, input=json.dumps(rows), capture_output=True, text=True, check=True)
    billed = collections.defaultdict(lambda: (0, 0, Decimal(0)))
    for row, cost in zip(rows, json.loads(priced.stdout), strict=True):
        before = billed[row["model"]]
        more = (row["input_tokens"], row["output_tokens"], Decimal(cost))
        billed[row["model"]] = tuple(a + b for a, b in zip(before, more, strict=True))
    recorded = {
        name: (used["input_tokens"], used["output_tokens"], Decimal(used["cost"]))
        for name, used in gateway.usage_by_model().items()
    }
    assert billed.keys() - broken, "the provider billed nothing"
    for model in billed.keys() - broken:
        assert recorded.get(model) == billed[model], f"{model}: recorded {recorded.get(model)}, billed {billed[model]}"
    for model in broken:
        assert recorded[model][2] > 0, f"{model}: a broken stream cost nothing"


def bill(request: dict) -> dict:
    """A request of the provider's log as price.py wants it."""
    in_path = re.search(r"/models/([^/:]+):", request["target"])
    return {
        "provider": request["credential"].removeprefix("operator-"),
        "model": in_path[1] if in_path else json.loads(request["body"])["model"],
        "input_tokens": request["input_tokens"],
        "cached_tokens": request["cached_tokens"],
        "output_tokens": request["output_tokens"],
    }


def stopped(gateway: servers.Gateway) -> None:
    told = "\n".join(gateway.lines)
    assert gateway.child.returncode == 0, f"it ended with {gateway.child.returncode}:\n{told}"
    assert "panicked" not in told, told


if __name__ == "__main__":
    sys.exit(main())
