"""The checks that both major versions of pydantic-ai share: an agent through the `gateway/` provider."""

import asyncio
import os
import time

from checks import BASE, DIRECT, KEY, SPENT_KEY, Sent, check, gateway_check, is_incremental, price_of, same_cost

# The client takes what the gateway says over any provider key it finds; the dummies show that none of them is sent.
os.environ["PYDANTIC_AI_GATEWAY_BASE_URL"] = f"{BASE}/proxy"
os.environ["PYDANTIC_AI_GATEWAY_API_KEY"] = KEY
for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"):
    os.environ[name] = "a-developer-s-own-key"

from pydantic_ai import Agent, exceptions  # noqa: E402


def run_checks(model: str, provider: str, path: str, reads_cost: bool) -> None:
    """`path` is where this model string is known to lead; `reads_cost`: the client takes the gateway's figure."""
    name = model.split(":")[1]

    @check(f"{model}: a whole answer")
    def _():
        with Sent() as sent:
            result = Agent(model).run_sync("hello [cached]")
        request = sent.only()
        assert result.output == f"The scripted provider heard {request['input_tokens']} tokens."
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

    @gateway_check(f"{model}: a spent limit is a refusal with our text")
    def _():
        os.environ["PYDANTIC_AI_GATEWAY_API_KEY"] = SPENT_KEY
        try:
            with Sent() as sent:
                Agent(model).run_sync("hello")
        except exceptions.ModelHTTPError as error:
            assert error.status_code == 402, error
            assert "limit" in str(error), error
            expected = getattr(exceptions, "ModelQuotaExceededError", exceptions.ModelHTTPError)
            assert isinstance(error, expected), type(error)
        else:
            raise AssertionError("the call went through")
        finally:
            os.environ["PYDANTIC_AI_GATEWAY_API_KEY"] = KEY
        assert sent.requests == []
