"""Prices usage by the genai-prices package: one JSON array in, one array of decimal strings out.

It runs in an environment of its own, so that every client is judged by the same version of the package, whatever
version the client brings.
"""

import json
import sys
from decimal import ROUND_HALF_UP, Decimal

from genai_prices import Usage, calc_price

NANO = Decimal("0.000000001")


def price(row: dict) -> str:
    usage = Usage(
        input_tokens=row["input_tokens"],
        cache_read_tokens=row["cached_tokens"],
        output_tokens=row["output_tokens"],
    )
    exact = calc_price(usage, model_ref=row["model"], provider_id=row["provider"]).total_price
    return str(exact.quantize(NANO, rounding=ROUND_HALF_UP))


json.dump([price(row) for row in json.load(sys.stdin)], sys.stdout)
