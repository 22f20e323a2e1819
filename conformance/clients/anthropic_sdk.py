"""The official Anthropic SDK: messages, streams, tools, counting, refusals."""

import time

import anthropic
from anthropic import Anthropic
from checks import KEY, SPENT_KEY, Sent, check, finish, gateway_check, is_incremental, price, refused, route, same_cost

MODEL = "claude-sonnet-4-5"
BROKEN_MODEL = "claude-haiku-4-5"
TOOL = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}

client = Anthropic(base_url=route("anthropic"), api_key=KEY)


def ask(text: str, **more) -> dict:
    return {"model": MODEL, "max_tokens": 1000, "messages": [{"role": "user", "content": text}], **more}


def cost_of(usage) -> object:
    cached = usage.cache_read_input_tokens
    return price("anthropic", MODEL, usage.input_tokens + cached, usage.output_tokens, cached)


@check("a whole answer, its usage and its cost")
def _():
    with Sent() as sent:
        raw = client.messages.with_raw_response.create(**ask("hello [cached] [think]"))
    answer = raw.parse()
    request = sent.only()
    assert answer.content[0].text == f"The scripted provider heard {request['input_tokens']} tokens."
    usage = answer.usage
    assert usage.input_tokens + usage.cache_read_input_tokens == request["input_tokens"]
    assert (usage.cache_read_input_tokens, usage.output_tokens) == (request["cached_tokens"], request["output_tokens"])
    same_cost(raw.headers.get("tollgate-cost"), cost_of(usage))
    same_cost(getattr(usage, "logfire_ai_gateway", None), cost_of(usage))


@check("a stream arrives piece by piece and is assembled by the SDK")
def _():
    arrivals = []
    with client.messages.stream(**ask("[words=10] [pace=30] [cached]")) as stream:
        for _ in stream.text_stream:
            arrivals.append(time.monotonic())
        answer = stream.get_final_message()
    assert answer.content[0].text.endswith("word10")
    assert (answer.usage.output_tokens, answer.stop_reason) == (10, "end_turn")
    is_incremental(arrivals)


@check("the cap is the provider's business and reaches it")
def _():
    answer = client.messages.create(**ask("[words=50]") | {"max_tokens": 5})
    assert (answer.stop_reason, answer.usage.output_tokens) == ("max_tokens", 5)


@check("tools are called, whole and streamed")
def _():
    answer = client.messages.create(**ask("[tool] weather?", tools=[TOOL]))
    assert (answer.content[0].name, answer.content[0].input) == ("weather", {"city": "Paris"})
    with client.messages.stream(**ask("[tool] weather?", tools=[TOOL])) as stream:
        streamed = stream.get_final_message()
    assert (streamed.content[0].input, streamed.stop_reason) == ({"city": "Paris"}, "tool_use")


@check("tokens are counted, for nothing")
def _():
    with Sent() as sent:
        counted = client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "hello"}])
    assert counted.input_tokens == 8 + len("user" + "hello") // 4
    assert sent.only()["input_tokens"] == 0


@check("version and beta headers reach the provider as sent")
def _():
    with Sent() as sent:
        client.messages.create(**ask("hello", extra_headers={"anthropic-beta": "a-2026-01-01,b"}))
    headers = {name.lower(): value for name, value in sent.only()["headers"]}
    assert headers["anthropic-beta"] == "a-2026-01-01,b"
    assert headers["anthropic-version"]


@check("an error of the provider keeps its class and its text")
def _():
    with Sent() as sent:
        try:
            client.messages.create(**ask("[fail=413]"))
        except anthropic.APIStatusError as error:
            assert error.status_code == 413
            assert "the prompt asked for this failure" in str(error)
        else:
            raise AssertionError("no error")
    sent.only()


@check("an error in mid-stream raises")
def _():
    seen = 0
    try:
        with client.messages.stream(**ask("[words=20] [error=5]") | {"model": BROKEN_MODEL}) as stream:
            for _ in stream.text_stream:
                seen += 1
    except anthropic.APIError:
        assert seen == 5
    else:
        raise AssertionError("a broken stream ended as if it were whole")


@gateway_check("a bad key: AuthenticationError, and nothing goes upstream")
def _():
    stranger = Anthropic(base_url=route("anthropic"), api_key="not-a-key-of-this-gateway")
    refused(lambda: stranger.messages.create(**ask("hello")), anthropic.AuthenticationError, 401)


@gateway_check("a spent limit: PaymentRequiredError that says so, and nothing goes upstream")
def _():
    spent = Anthropic(base_url=route("anthropic"), api_key=SPENT_KEY)
    for call in (
        lambda: spent.messages.create(**ask("hello")),
        lambda: spent.messages.create(**ask("hello", stream=True)),
    ):
        refused(call, anthropic.PaymentRequiredError, 402, "limit")


@gateway_check("an unpriced model: BadRequestError that says so, and nothing goes upstream")
def _():
    unpriced = ask("hello") | {"model": "no-such-model-1"}
    refused(lambda: client.messages.create(**unpriced), anthropic.BadRequestError, 400, "calculate spend")


finish()
