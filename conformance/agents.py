"""The checks that both major versions of pydantic-ai share: an agent through the `gateway/` provider."""

import asyncio
import contextlib
import os
import time

from checks import (
    BASE,
    DIRECT,
    KEY,
    SPENT_KEY,
    STRANGER,
    Sent,
    check,
    gateway_check,
    heard,
    is_incremental,
    price_of,
    raises,
    refused,
    same_cost,
)

# The client takes what the gateway says over any provider key it finds; the dummies show that none of them is sent.
os.environ["PYDANTIC_AI_GATEWAY_BASE_URL"] = f"{BASE}/proxy"
os.environ["PYDANTIC_AI_GATEWAY_API_KEY"] = KEY
for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GROQ_API_KEY", "AWS_BEARER_TOKEN_BEDROCK"):
    os.environ[name] = "a-developer-s-own-key"

from pydantic_ai import Agent, exceptions  # noqa: E402


def run_checks(model: str, provider: str, path: str, reads_cost: bool) -> None:
    """`path` is where this model string is known to lead; `reads_cost`: the client takes the gateway's figure."""
    name = model.partition(":")[2]

    @check(f"{model}: a whole answer")
    def _():
        with Sent() as sent:
            result = Agent(model).run_sync("hello [cached]")
        request = sent.only()
        assert result.output == heard(request)
        usage = result.all_messages()[-1].usage
        assert (usage.input_tokens, usage.output_tokens) == (request["input_tokens"], request["output_tokens"])
        if DIRECT:
            assert path in request["target"], request["target"]
        if reads_cost:
            same_cost(usage.cost, price_of(provider, name, request))

    @check(f"{model}: a stream arrives piece by piece")
    def _():
        arrivals = []

        async def stream():
            async with Agent(model).run_stream("[words=10] [pace=30]") as result:
                async for text in result.stream_text(delta=True, debounce_by=None):
                    arrivals.append((time.monotonic(), text))
            return result

        with Sent() as sent:
            result = asyncio.run(stream())
        assert "".join(text for _, text in arrivals) == " ".join(f"word{n}" for n in range(1, 11))
        is_incremental([at for at, _ in arrivals])
        usage = result.all_messages()[-1].usage
        assert usage.output_tokens == 10
        if reads_cost:
            same_cost(usage.cost, price_of(provider, name, sent.only()))

    @check(f"{model}: a tool is called and its answer sent back")
    def _():
        weather = Agent(model)
        asked = []

        @weather.tool_plain
        def weather_in(city: str) -> str:
            asked.append(city)
            return f"sunny in {city}"

        with Sent() as sent:
            result = weather.run_sync("[tool] weather?")
        assert asked == ["Paris"]
        assert result.output.startswith("The tool said:") and "sunny in Paris" in result.output
        assert len(sent.requests) == 2

    @check(f"{model}: an error of the provider keeps its status and its text")
    def _():
        words = "the prompt asked for this failure"
        raises(lambda: Agent(model).run_sync("[fail=400]"), exceptions.ModelHTTPError, 400, words)

    @gateway_check(f"{model}: a bad key is a refusal, and nothing goes upstream")
    def _():
        with key(STRANGER):
            refused(lambda: Agent(model).run_sync("hello"), exceptions.ModelHTTPError, 401)

    @gateway_check(f"{model}: a spent limit is one attempt and a refusal with our text")
    def _():
        expected = getattr(exceptions, "ModelQuotaExceededError", exceptions.ModelHTTPError)
        with key(SPENT_KEY):
            refused(lambda: Agent(model).run_sync("hello"), expected, 402, "limit")


@contextlib.contextmanager
def key(value: str):
    """Agents made inside present this key."""
    os.environ["PYDANTIC_AI_GATEWAY_API_KEY"] = value
    try:
        yield
    finally:
        os.environ["PYDANTIC_AI_GATEWAY_API_KEY"] = KEY
