"""Prints the price data of the installed `genai-prices` package as JSON, one model to a line.

Rates are written digit for digit from the package's decimals: nothing passes through a float.
Only what `tollgate_core::price` reads is kept.
"""

import datetime
import json
from decimal import Decimal
from importlib.metadata import version

from genai_prices import types
from genai_prices.data import providers

CLAUSES = {
    types.ClauseStartsWith: "starts_with",
    types.ClauseEndsWith: "ends_with",
    types.ClauseContains: "contains",
    types.ClauseEquals: "equals",
    types.ClauseRegex: "regex",
}


def match(clause):
    if isinstance(clause, types.ClauseOr):
        return {"or": [match(part) for part in clause.or_]}
    if isinstance(clause, types.ClauseAnd):
        return {"and": [match(part) for part in clause.and_]}
    word = CLAUSES[type(clause)]
    return {word: getattr(clause, word)}


def rate(value):
    if isinstance(value, types.TieredPrices):
        tiers = [{"start": tier.start, "price": tier.price} for tier in value.tiers]
        return {"base": value.base, "tiers": tiers}
    return value


def prices(price):
    return {key: rate(value) for key, value in vars(price).items() if value is not None}


def utc(time):
    if time.tzinfo is not None:
        day = datetime.date(1970, 1, 1)
        time = datetime.datetime.combine(day, time).astimezone(datetime.UTC).time()
    return time.isoformat() + "Z"


def constraint(value):
    if isinstance(value, types.StartDateConstraint):
        return {"start_date": value.start_date.isoformat()}
    return {"start_time": utc(value.start_time), "end_time": utc(value.end_time)}


def constrained(value, **fields):
    if value.constraint is not None:
        fields["constraint"] = constraint(value.constraint)
    return fields | {"prices": prices(value.prices)}


def model(value):
    fields = {"id": value.id, "name": value.name, "match": match(value.match)}
    if value.context_window is not None:
        fields["context_window"] = value.context_window
    if isinstance(value.prices, list):
        fields["prices"] = [constrained(price) for price in value.prices]
    else:
        fields["prices"] = prices(value.prices)
    if value.price_variants:
        fields["price_variants"] = [constrained(v, when=v.when) for v in value.price_variants]
    return {key: field for key, field in fields.items() if field is not None}


def provider(value):
    fields = {"id": value.id, "name": value.name, "api_pattern": value.api_pattern}
    for key in ("model_match", "provider_match"):
        if getattr(value, key) is not None:
            fields[key] = match(getattr(value, key))
    if value.fallback_model_providers:
        fields["fallback_model_providers"] = value.fallback_model_providers
    return fields | {"models": [model(each) for each in value.models]}


def text(value):
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return "{" + ",".join(f"{text(key)}:{text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        line = "\n" if value and isinstance(value[0], dict) and "match" in value[0] else ""
        return "[" + line + f",{line}".join(text(item) for item in value) + line + "]"
    return json.dumps(value, ensure_ascii=False)


book = {
    "source": "genai-prices",
    "license": "MIT (LICENSE-genai-prices)",
    "version": version("genai-prices"),
    "providers": [provider(each) for each in providers],
}
print(text(book))
