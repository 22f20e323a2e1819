"""Prices usage by the genai-prices package: one JSON array in, one array of decimal strings out.

It runs in an environment of its own, so that every client is judged by the same version of the package, whatever
version the client brings. The provider `own` has the prices of the settings.
"""

import json
import sys
from decimal import ROUND_HALF_UP, Decimal

from genai_prices import Usage, calc_price
from providers import OWN_PRICES

NANO = Decimal("0.000000001")


def price(row: dict) -> str:
    exact = own_price(row) if row["provider"] == "own" else listed_price(row)
    return str(exact.quantize(NANO, rounding=ROUND_HALF_UP))


def own_price(row: dict) -> Decimal:
    input_rate, output_rate = map(Decimal, OWN_PRICES[row["model"]])
    return (row["input_tokens"] * input_rate + row["output_tokens"] * output_rate) / 1_000_000


def listed_price(row: dict) -> Decimal:
    usage = Usage(
        input_tokens=row["input_tokens"],
        cache_read_tokens=row["cached_tokens"],
        output_tokens=row["output_tokens"],
        **row.get("units", {}),
    )
    context = row.get("context", {})
    return calc_price(usage, model_ref=row["model"], provider_id=row["provider"], price_context=context).total_price


json.dump([price(row) for row in json.load(sys.stdin)], sys.stdout)
