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
                log = servers.requests(upstream.url)
                total += run_check("no credential of the gateway reached the provider", lambda: leaks(log, gateway))
                total += run_check("every usage row is what genai-prices says", lambda: prices(log, gateway, pricer))
                total += run_check("the gateway's log tells of no panic", lambda: panics(gateway))
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
    except AssertionError as wrong:
        print(f"  FAILED  {name}: {wrong}", flush=True)
        return collections.Counter(failed=1)
    print(f"  ok      {name}", flush=True)
    return collections.Counter(passed=1)


def leaks(log: list[dict], gateway: servers.Gateway) -> None:
    for request in log:
        text = json.dumps(request)
        assert gateway.plenty not in text and gateway.spent not in text, f"a key reached {request['target']}"
        assert request["credential"].startswith("operator-"), f"{request['target']} came without our credential"


def prices(log: list[dict], gateway: servers.Gateway, pricer: Path) -> None:
    """As many rows as the provider billed, each with its model, its tokens and its price to the nano-dollar."""
    billed = [bill(request) for request in log if request["input_tokens"] and not BROKEN.search(request["body"])]
    command = [pricer, HERE / "price.py"]
    priced = subprocess.run(command, input=json.dumps(billed), capture_output=True, text=True, check=True)
    expected = collections.Counter(
        (row["model"], row["input_tokens"], row["output_tokens"], Decimal(cost))
        for row, cost in zip(billed, json.loads(priced.stdout), strict=True)
    )
    rows = [row for row in gateway.usage() if row["cost"] is not None and "estimated" not in row["flags"]]
    recorded = collections.Counter(
        (row["model"], row["input_tokens"], row["output_tokens"], Decimal(row["cost"]))
        for row in rows
        if row["input_tokens"]
    )
    assert expected, "the provider billed nothing"
    missing, extra = expected - recorded, recorded - expected
    assert not missing and not extra, f"not recorded: {dict(missing)}; recorded without a bill: {dict(extra)}"


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


def panics(gateway: servers.Gateway) -> None:
    told = [line for line in gateway.lines if "panicked" in line]
    assert not told, "\n".join(told)


if __name__ == "__main__":
    sys.exit(main())
