"""What must hold of a run when it is over: credentials, costs, ends."""

import collections
import json
import re
import subprocess
import urllib.parse
from decimal import Decimal
from pathlib import Path

from providers import BEHIND, is_for_token
from servers import Gateway

HERE = Path(__file__).resolve().parent
# The provider breaks these off before it tells their usage: the gateway can only estimate.
BROKEN = re.compile(r"\[(error|cut|reset|stall)=")
MODEL_IN_PATH = re.compile(r"/(?:models?|deployments)/([^/]+?)(?:/|:[A-Za-z]+(?:\?|$))")
INVOKED = re.compile(r"/model/[a-z.]*anthropic\.(.+?)(?:-v\d+)?(?:%3A\d+)?/invoke")
# Billed by other things than tokens of text: the clients check what it costs.
MEDIA = re.compile(r"/(images|audio)/")


def accepted(log: list[dict]) -> None:
    """Of whom nothing was demanded was not meant to be reached."""
    for request in log:
        assert request["verified"] is not False, f"{request['target']}: {request['headers']}"


def leaks(log: list[dict], gateways: list[Gateway]) -> None:
    for request in log:
        text = json.dumps(request)
        for gateway in gateways:
            assert gateway.plenty not in text and gateway.spent not in text, f"a key reached {request['target']}"
        verified = request["verified"] or is_for_token(request)
        assert verified, f"{request['target']} came to a provider that demands nothing"


def stopped(gateways: list[Gateway]) -> None:
    for gateway in gateways:
        told = "\n".join(gateway.lines)
        assert gateway.child.returncode == 0, f"it ended with {gateway.child.returncode}:\n{told}"
        assert "panicked" not in told, told


def prices(log: list[dict], gateways: list[Gateway], providers: list, pricer: Path) -> None:
    """By model, the provider's log and our records agree on tokens, and on the cost to the nano-dollar.

    A broken stream tells no usage and is estimated, so the clients break streams of models they use for nothing else.
    """
    price_lists = {provider.slug: provider.prices for provider in providers}
    billed_by_tokens = [request for request in log if is_billed_by_tokens(request)]
    rows = [bill(request, log, price_lists) for request in billed_by_tokens]
    broken = {row["answered"] for row, request in zip(rows, billed_by_tokens, strict=True) if is_broken(request)}
    command = [pricer, HERE / "price.py"]
    priced = subprocess.run(command, input=json.dumps(rows), capture_output=True, text=True)
    assert priced.returncode == 0, priced.stderr.strip().splitlines()[-1]
    billed = collections.defaultdict(lambda: (0, 0, Decimal(0)))
    for row, cost in zip(rows, json.loads(priced.stdout), strict=True):
        more = (row["input_tokens"], row["output_tokens"], Decimal(cost))
        billed[row["answered"]] = added(billed[row["answered"]], more)
    recorded = collections.defaultdict(lambda: (0, 0, Decimal(0)))
    for gateway in gateways:
        for name, used in gateway.usage_by_model().items():
            more = (used["input_tokens"], used["output_tokens"], Decimal(used["cost"]))
            recorded[name] = added(recorded[name], more)
    for model in billed.keys() - broken:
        assert recorded.get(model) == billed[model], f"{model}: recorded {recorded.get(model)}, billed {billed[model]}"
    for model in broken:
        assert recorded[model][2] > 0, f"{model}: a broken stream cost nothing"


def added(before: tuple, more: tuple) -> tuple:
    return tuple(a + b for a, b in zip(before, more, strict=True))


def is_billed_by_tokens(request: dict) -> bool:
    is_behind = BEHIND in (name.lower() for name, _ in request["headers"])
    return request["input_tokens"] > 0 and not is_behind and not MEDIA.search(request["target"])


def is_broken(request: dict) -> bool:
    return bool(BROKEN.search(request["body"]))


def bill(request: dict, log: list[dict], price_lists: dict[str, str]) -> dict:
    """A request of the provider's log as price.py wants it."""
    target = request["target"]
    slug = target.split("/")[1]
    model = model_of(request, log)
    if slug == "huggingface":
        # The suffix says how to choose a server.
        model = model.partition(":")[0]
    invoked = INVOKED.search(target)
    return {
        "provider": price_lists[slug],
        # Where OpenAI's dialect is spoken at Vertex, names begin with their publisher's.
        "model": model.removeprefix("google/"),
        # As it calls itself in the answer.
        "answered": invoked[1] if invoked else model,
        "input_tokens": request["input_tokens"],
        "cached_tokens": request["cached_tokens"],
        "output_tokens": request["output_tokens"],
        "context": {"processing": "batch"} if "/batches" in target else {},
    }


def model_of(request: dict, log: list[dict]) -> str:
    in_path = MODEL_IN_PATH.search(request["target"])
    if in_path:
        return urllib.parse.unquote(in_path[1])
    body = json.loads(request["body"])
    if "requests" in body:
        return body["requests"][0]["params"]["model"]
    if "input_file_id" in body:
        # The clients order batches of one model only, and upload the order right before.
        orders = [earlier["body"] for earlier in log[: log.index(request)] if '"custom_id"' in earlier["body"]]
        return re.search(r'"model": "([^"]+)"', orders[-1])[1]
    return body["model"]


def random_prices(pricer: Path, programs: Path) -> None:
    command = [pricer, HERE / "random_prices.py", programs / "examples" / "price"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr.strip().splitlines()[-1]
