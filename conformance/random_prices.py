"""10,000 random usages over a dozen models, priced by our binary and by the genai-prices package.

Runs in the environment that brings the package; the path of our calculator is the only argument. The package computes
in decimals, so both must agree to the last nano-dollar, rounded half up.
"""

import json
import random
import subprocess
import sys
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal

from genai_prices import Usage, calc_price

CASES = 10_000
AT = datetime(2026, 11, 15, 12, tzinfo=timezone.utc)
MODELS = [
    ("openai", "gpt-5.2"),
    ("openai", "gpt-5.4"),
    ("openai", "gpt-4o"),
    ("openai", "gpt-4.1-mini"),
    ("openai", "text-embedding-3-small"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-sonnet-4-6"),
    ("anthropic", "claude-haiku-4-5"),
    ("anthropic", "claude-opus-4-5"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
    ("google", "gemini-2.0-flash"),
]


def usage(draw: random.Random, provider: str) -> dict[str, int]:
    """Counts that fit together: parts are within their whole."""
    size = draw.choice([10, 1_000, 100_000, 1_000_000])
    total = draw.randint(0, size)
    counts = {"input_tokens": total, "output_tokens": draw.randint(0, size)}
    if total and draw.random() < 0.6:
        counts["cache_read_tokens"] = draw.randint(0, total)
    if provider == "anthropic" and draw.random() < 0.5:
        left = total - counts.get("cache_read_tokens", 0)
        written = draw.randint(0, left)
        counts["cache_write_tokens"] = written
        counts["cache_write_1h_tokens"] = draw.randint(0, written)
    if provider != "google" and draw.random() < 0.2:
        counts["web_searches"] = draw.randint(1, 9)
    return {name: count for name, count in counts.items() if count}


def theirs(case: dict) -> str:
    counts = Usage(**case["usage"])
    price = calc_price(counts, model_ref=case["model"], provider_id=case["provider"], genai_request_timestamp=AT)
    return str(int((price.total_price * 10**9).quantize(Decimal(1), rounding=ROUND_HALF_UP)))


def main() -> None:
    draw = random.Random(20261115)
    cases = []
    for _ in range(CASES):
        provider, model = draw.choice(MODELS)
        at = AT.isoformat().replace("+00:00", "Z")
        cases.append({"provider": provider, "model": model, "at": at, "usage": usage(draw, provider)})
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    ours = subprocess.run([sys.argv[1]], input=lines, capture_output=True, text=True, check=True).stdout.split()
    assert len(ours) == CASES, f"{len(ours)} answers to {CASES} questions"
    wrong = [(case, our, their) for case, our in zip(cases, ours) if our != (their := theirs(case))]
    assert not wrong, f"{len(wrong)} of {CASES} differ, the first: {wrong[0]}"


main()
