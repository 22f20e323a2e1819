"""What every client's file uses: where to send, what arrived at the provider, what it costs, one line per check."""

import json
import os
import subprocess
import sys
import textwrap
import traceback
import urllib.request
from decimal import Decimal
from pathlib import Path

BASE = os.environ["CONFORMANCE_BASE"]
UPSTREAM = os.environ["CONFORMANCE_UPSTREAM"]
KEY = os.environ["CONFORMANCE_KEY"]
SPENT_KEY = os.environ["CONFORMANCE_SPENT_KEY"]
PRICE_PYTHON = os.environ["CONFORMANCE_PRICE_PYTHON"]
DIRECT = BASE == UPSTREAM
PRICE = Path(__file__).resolve().parent / "price.py"

passed = 0
failed = 0


def route(name: str) -> str:
    """The base URL of a route."""
    return f"{BASE}/proxy/{name}"


def check(name: str):
    """Runs the function below at once, and tells how it went."""

    def run(body) -> None:
        global passed, failed
        try:
            body()
        except Exception as wrong:
            failed += 1
            print(f"  FAILED  {name}")
            # The SDKs' own frames in between say little and are many.
            lines = traceback.format_exception(wrong, limit=-3, chain=False)
            print(textwrap.indent("".join(lines), " " * 10), flush=True)
        else:
            passed += 1
            print(f"  ok      {name}", flush=True)

    return run


def gateway_check(name: str):
    """A check that makes no sense without the gateway."""
    return (lambda body: None) if DIRECT else check(name)


def finish() -> None:
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


class Sent:
    """The requests that reach the provider while the block runs."""

    def __enter__(self) -> "Sent":
        self.since = len(requests(0))
        return self

    def __exit__(self, *_) -> None:
        self.requests = requests(self.since)

    def only(self) -> dict:
        assert len(self.requests) == 1, f"{len(self.requests)} requests reached the provider"
        return self.requests[0]


def requests(since: int) -> list[dict]:
    with urllib.request.urlopen(f"{UPSTREAM}/_requests?since={since}", timeout=60) as answer:
        return json.load(answer)


def price(provider: str, model: str, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> Decimal:
    """What genai-prices says, rounded half up to a nano-dollar."""
    row = {
        "provider": provider,
        "model": model,
        "input_tokens": input_tokens,
        "cached_tokens": cached_tokens,
        "output_tokens": output_tokens,
    }
    ended = subprocess.run([PRICE_PYTHON, PRICE], input=json.dumps([row]), capture_output=True, text=True, check=True)
    return Decimal(json.loads(ended.stdout)[0])


def price_of(provider: str, model: str, request: dict) -> Decimal:
    """What a request in the provider's log costs."""
    return price(provider, model, request["input_tokens"], request["output_tokens"], request["cached_tokens"])


def same_cost(told, expected: Decimal) -> None:
    """`told` by a header (`0.0123USD`), a body (`{"cost": …}` or the bare figure) equals `expected`."""
    if DIRECT:
        return
    if isinstance(told, dict):
        told = told["cost"]
    assert told is not None, "the gateway told no cost"
    assert Decimal(str(told).removesuffix("USD")) == expected, f"told {told}, expected {expected}"


def refused(call, error: type, status: int, words: str = "") -> None:
    """`call` raises `error` with `status` and our text in it, and nothing reaches the provider."""
    with Sent() as sent:
        try:
            call()
        except error as raised:
            code = getattr(raised, "status_code", None) or getattr(raised, "code", None)
            assert code == status, f"status {code}, expected {status}: {raised}"
            assert words in str(raised), f"{words!r} is not in {raised}"
        else:
            raise AssertionError("the call went through")
    assert sent.requests == [], "a refused request reached the provider"


def is_incremental(arrivals: list[float]) -> None:
    """Pieces scripted 30 ms apart did not arrive in one heap at the end."""
    assert len(arrivals) >= 5, f"only {len(arrivals)} pieces"
    spread = arrivals[-1] - arrivals[0]
    assert spread > 0.03 * (len(arrivals) - 1) / 2, f"{len(arrivals)} pieces within {spread:.3f} s"
