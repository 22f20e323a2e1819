"""What every client's file uses: where to send, what arrived at the provider, what it costs, one line per check."""

import json
import os
import subprocess
import sys
import textwrap
import time
import traceback
import urllib.request
from decimal import Decimal
from pathlib import Path

from providers import is_for_token

BASE = os.environ["CONFORMANCE_BASE"]
UPSTREAM = os.environ["CONFORMANCE_UPSTREAM"]
KEY = os.environ["CONFORMANCE_KEY"]
SPENT_KEY = os.environ["CONFORMANCE_SPENT_KEY"]
PRICE_PYTHON = os.environ["CONFORMANCE_PRICE_PYTHON"]
GATEWAY_LOG = os.environ.get("CONFORMANCE_GATEWAY_LOG", os.devnull)
DIRECT = BASE == UPSTREAM
PRICE = Path(__file__).resolve().parent / "price.py"
STRANGER = "not-a-key-of-this-gateway"

passed = 0
failed = 0


def route(name: str) -> str:
    """The base URL of a route."""
    return f"{BASE}/{name}" if DIRECT else f"{BASE}/proxy/{name}"


def check(name: str):
    """Runs the function below at once, and tells how it went."""

    def run(body) -> None:
        global passed, failed
        try:
            try:
                body()
            except Late:
                # A client may load code when it first streams, and read late; the second time it has.
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
    """The requests that reach the provider while the block runs; those for tokens are our own affair."""

    def __enter__(self) -> "Sent":
        self.since = len(requests(0))
        return self

    def __exit__(self, *_) -> None:
        # The client may have the whole of an answer before the provider has written down that it has.
        until = time.monotonic() + 5
        while True:
            seen = requests(self.since)
            if time.monotonic() > until or all(request["ended"] != "open" for request in seen):
                break
            time.sleep(0.01)
        self.requests = [request for request in seen if not is_for_token(request)]

    def only(self) -> dict:
        assert len(self.requests) == 1, f"{len(self.requests)} requests reached the provider"
        return self.requests[0]


def requests(since: int) -> list[dict]:
    with urllib.request.urlopen(f"{UPSTREAM}/_requests?since={since}", timeout=60) as answer:
        return json.load(answer)


class Attempts:
    """How many requests reach the gateway while the block runs: one, unless the client tries again."""

    def __enter__(self) -> "Attempts":
        self.before = self.settled(0)
        return self

    def __exit__(self, *_) -> None:
        self.count = self.settled(self.before + 1) - self.before

    def settled(self, least: int) -> int:
        """The lines of its log, once there are so many and no more come: they follow their requests by a moment."""
        until = time.monotonic() + 5
        seen = -1
        while (now := self.logged()) < least or now != seen:
            if time.monotonic() > until:
                break
            seen = now
            time.sleep(0.1)
        return now

    @staticmethod
    def logged() -> int:
        return sum(line.startswith("request ") for line in Path(GATEWAY_LOG).read_text().splitlines())


def price(
    provider: str, model: str, input_tokens: int, output_tokens: int, cached_tokens: int = 0, **units: int
) -> Decimal:
    """What genai-prices says, rounded half up to a nano-dollar. `units` are by its own names."""
    row = {
        "provider": provider,
        "model": model,
        "input_tokens": input_tokens,
        "cached_tokens": cached_tokens,
        "output_tokens": output_tokens,
        "units": units,
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


def raises(call, error: type, status: int, words: str = "", attempts: int = 1) -> None:
    """`call` raises `error` with `status` and `words` in it, after so many attempts."""
    with Attempts() if not DIRECT else Sent() as seen:
        try:
            call()
        except error as raised:
            code = status_of(raised)
            assert code == status, f"status {code}, expected {status}: {raised}"
            assert words in str(raised), f"{words!r} is not in {raised}"
        else:
            raise AssertionError("the call went through")
    if not DIRECT:
        assert seen.count == attempts, f"{seen.count} attempts, expected {attempts}"


def refused(call, error: type, status: int, words: str = "", attempts: int = 1) -> None:
    """The same, and nothing reaches the provider."""
    with Sent() as sent:
        raises(call, error, status, words, attempts)
    assert sent.requests == [], "a refused request reached the provider"


def status_of(error: Exception) -> int | None:
    """Wherever the SDK keeps it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return response["ResponseMetadata"]["HTTPStatusCode"]
    kept = (getattr(error, name, None) for name in ("status_code", "code"))
    return next((code for code in kept if isinstance(code, int)), getattr(response, "status_code", None))


class Late(AssertionError):
    """The pieces of a stream came in a heap."""


def is_incremental(arrivals: list[float]) -> None:
    """Pieces scripted 30 ms apart did not arrive in one heap at the end."""
    assert len(arrivals) >= 5, f"only {len(arrivals)} pieces"
    spread = arrivals[-1] - arrivals[0]
    if spread < 0.03 * (len(arrivals) - 1) / 2:
        raise Late(f"{len(arrivals)} pieces within {spread:.3f} s")


WORDS = " ".join(f"word{n}" for n in range(1, 11))


def heard(request: dict) -> str:
    """What the provider says when nothing is asked of it in particular."""
    return f"The scripted provider heard {request['input_tokens']} tokens."
