"""The official Anthropic SDK's clients for the clouds: Bedrock by a bearer key, its own Anthropic endpoint, Vertex by an
access token, and Microsoft Foundry."""

import time

import anthropic
from anthropic import AnthropicBedrock, AnthropicBedrockMantle, AnthropicFoundry, AnthropicVertex
from checks import (
    KEY,
    SPENT_KEY,
    STRANGER,
    WORDS,
    Sent,
    check,
    finish,
    gateway_check,
    heard,
    is_incremental,
    price_of,
    raises,
    refused,
    route,
    same_cost,
)
from providers import BEDROCK_SONNET, REGION, SONNET, VERTEX_SONNET

TOOL = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def bedrock(key: str) -> AnthropicBedrock:
    return AnthropicBedrock(base_url=route("bedrock-key"), api_key=key, aws_region=REGION)


def mantle(key: str) -> AnthropicBedrockMantle:
    return AnthropicBedrockMantle(base_url=route("mantle") + "/anthropic", api_key=key, aws_region=REGION)


def vertex(key: str) -> AnthropicVertex:
    # Whatever project the client names, the operator's is billed.
    place = {"project_id": "the-callers", "region": "us-central1"}
    return AnthropicVertex(base_url=route("google-vertex") + "/v1", access_token=key, **place)


def foundry(key: str) -> AnthropicFoundry:
    return AnthropicFoundry(base_url=route("azure") + "/anthropic", api_key=key)


def run_checks(name: str, connect, model: str, broken: str, prices: str) -> None:
    client = connect(KEY)

    def ask(text: str, **more) -> dict:
        return {"model": model, "max_tokens": 1000, "messages": [{"role": "user", "content": text}], **more}

    @check(f"{name}: a whole answer, its usage and its cost")
    def _():
        with Sent() as sent:
            raw = client.messages.with_raw_response.create(**ask("hello [cached]"))
        request, answer = sent.only(), raw.parse()
        assert answer.content[0].text == heard(request)
        usage = answer.usage
        assert usage.input_tokens + usage.cache_read_input_tokens == request["input_tokens"]
        assert usage.output_tokens == request["output_tokens"]
        same_cost(raw.headers.get("tollgate-cost"), price_of(prices, model, request))

    # Before the stream that is timed: in the first one the SDK loads what it needs to read it.
    @check(f"{name}: tools are called, whole and streamed")
    def _():
        answer = client.messages.create(**ask("[tool] weather?", tools=[TOOL]))
        assert (answer.content[0].name, answer.content[0].input) == ("weather", {"city": "Paris"})
        with client.messages.stream(**ask("[tool] weather?", tools=[TOOL])) as stream:
            streamed = stream.get_final_message()
        assert (streamed.content[0].input, streamed.stop_reason) == ({"city": "Paris"}, "tool_use")

    @check(f"{name}: a stream arrives piece by piece and is assembled by the SDK")
    def _():
        arrivals, text = [], ""
        with client.messages.stream(**ask("[words=10] [pace=30]")) as stream:
            for piece in stream.text_stream:
                arrivals.append(time.monotonic())
                text += piece
            answer = stream.get_final_message()
        assert text == WORDS
        assert (answer.usage.output_tokens, answer.stop_reason) == (10, "end_turn")
        is_incremental(arrivals)

    @check(f"{name}: errors of the provider keep their class and their text")
    def _():
        failing = ask("[fail=400]")
        raises(lambda: client.messages.create(**failing), anthropic.BadRequestError, 400, "asked for this failure")

    @check(f"{name}: an error in mid-stream raises")
    def _():
        seen = 0
        try:
            with client.messages.stream(**ask("[words=20] [error=5]") | {"model": broken}) as stream:
                for _ in stream.text_stream:
                    seen += 1
        except Exception:
            assert seen == 5
        else:
            raise AssertionError("a broken stream ended as if it were whole")

    @gateway_check(f"{name}: a bad key: AuthenticationError, and nothing goes upstream")
    def _():
        stranger = connect(STRANGER)
        refused(lambda: stranger.messages.create(**ask("hello")), anthropic.AuthenticationError, 401)

    @gateway_check(f"{name}: a spent limit: one attempt, our text, and nothing goes upstream")
    def _():
        spent = connect(SPENT_KEY)
        for call in (
            lambda: spent.messages.create(**ask("hello")),
            lambda: spent.messages.create(**ask("hello", stream=True)),
        ):
            refused(call, anthropic.PaymentRequiredError, 402, "limit")


HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
run_checks("bedrock", bedrock, BEDROCK_SONNET, f"us.{HAIKU}", "aws")
run_checks("mantle", mantle, "anthropic.claude-sonnet-4-5-20250929-v1:0", HAIKU, "aws")
run_checks("vertex", vertex, VERTEX_SONNET, "claude-haiku-4-5@20251001", "google")
run_checks("foundry", foundry, SONNET, "claude-haiku-4-5", "azure")


@check("vertex: tokens are counted, for nothing")
def _():
    with Sent() as sent:
        messages = [{"role": "user", "content": "hello"}]
        counted = vertex(KEY).messages.count_tokens(model=VERTEX_SONNET, messages=messages)
    assert counted.input_tokens == 8 + len("user" + "hello") // 4
    assert sent.only()["input_tokens"] == 0


finish()
