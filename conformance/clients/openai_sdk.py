"""The official OpenAI SDK: chat, responses, embeddings, refusals."""

import time

import openai
from checks import KEY, SPENT_KEY, Sent, check, finish, gateway_check, is_incremental, price, refused, route, same_cost
from openai import OpenAI

MODEL = "gpt-5.2"
BROKEN_MODEL = "gpt-4.1-mini"
CHAT_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
RESPONSES_TOOL = {"type": "function", **CHAT_TOOL["function"], "strict": False}

client = OpenAI(base_url=route("openai") + "/v1", api_key=KEY)


def user(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


def chat_cost(usage) -> object:
    cached = usage.prompt_tokens_details.cached_tokens
    return price("openai", MODEL, usage.prompt_tokens, usage.completion_tokens, cached)


@check("chat: a whole answer, its usage and its cost")
def _():
    with Sent() as sent:
        raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=user("hello [cached] [think]"))
    answer = raw.parse()
    request = sent.only()
    assert answer.choices[0].message.content == f"The scripted provider heard {request['input_tokens']} tokens."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == request["input_tokens"]
    assert answer.usage.prompt_tokens_details.cached_tokens == request["cached_tokens"] > 0
    assert answer.usage.completion_tokens == request["output_tokens"]
    same_cost(raw.headers.get("tollgate-cost"), chat_cost(answer.usage))
    same_cost(raw.headers.get("logfire-ai-gateway-cost"), chat_cost(answer.usage))
    same_cost(getattr(answer.usage, "logfire_ai_gateway", None), chat_cost(answer.usage))


@check("chat: a stream arrives piece by piece and ends with usage")
def _():
    arrivals, text, usage = [], "", None
    options = {"include_usage": True}
    prompt = user("[words=10] [pace=30]")
    for chunk in client.chat.completions.create(model=MODEL, messages=prompt, stream=True, stream_options=options):
        if chunk.choices and chunk.choices[0].delta.content:
            arrivals.append(time.monotonic())
            text += chunk.choices[0].delta.content
        usage = chunk.usage or usage
    assert text == " ".join(f"word{n}" for n in range(1, 11))
    assert usage.completion_tokens == 10
    is_incremental(arrivals)
    same_cost(getattr(usage, "logfire_ai_gateway", None), chat_cost(usage))


@check("chat: a stream that did not ask for usage never mentions it")
def _():
    for chunk in client.chat.completions.create(model=MODEL, messages=user("hello"), stream=True):
        assert chunk.choices, "a chunk without choices breaks naive clients"
        assert chunk.usage is None


@check("chat: tools are called, whole and streamed")
def _():
    prompt = user("[tool] how is the weather?")
    answer = client.chat.completions.create(model=MODEL, messages=prompt, tools=[CHAT_TOOL])
    call = answer.choices[0].message.tool_calls[0].function
    assert (call.name, call.arguments) == ("weather", '{"city":"Paris"}')
    with client.chat.completions.stream(model=MODEL, messages=prompt, tools=[CHAT_TOOL]) as stream:
        streamed = stream.get_final_completion().choices[0].message.tool_calls[0].function
    assert (streamed.name, streamed.arguments) == (call.name, call.arguments)


@check("responses: a whole answer, its usage and its cost")
def _():
    with Sent() as sent:
        raw = client.responses.with_raw_response.create(model=MODEL, input="[words=7] [cached]")
    answer = raw.parse()
    assert answer.output_text.endswith("word7")
    usage = answer.usage
    assert (usage.input_tokens, usage.output_tokens) == (sent.only()["input_tokens"], 7)
    cached = usage.input_tokens_details.cached_tokens
    same_cost(raw.headers.get("tollgate-cost"), price("openai", MODEL, usage.input_tokens, 7, cached))


@check("responses: a stream is assembled by the SDK")
def _():
    arrivals = []
    with client.responses.stream(model=MODEL, input="[words=10] [pace=30]") as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                arrivals.append(time.monotonic())
        answer = stream.get_final_response()
    assert answer.output_text.endswith("word10")
    is_incremental(arrivals)
    cost = price("openai", MODEL, answer.usage.input_tokens, answer.usage.output_tokens)
    same_cost(getattr(answer.usage, "logfire_ai_gateway", None), cost)


@check("responses: tools are called")
def _():
    answer = client.responses.create(model=MODEL, input="[tool] weather?", tools=[RESPONSES_TOOL])
    assert (answer.output[0].name, answer.output[0].arguments) == ("weather", '{"city":"Paris"}')


@check("embeddings: vectors and cost")
def _():
    model = "text-embedding-3-small"
    raw = client.embeddings.with_raw_response.create(model=model, input=["one", "two"])
    answer = raw.parse()
    assert [item.embedding for item in answer.data] == [[0.5, -0.25, 0.125, 0.0]] * 2
    same_cost(raw.headers.get("tollgate-cost"), price("openai", model, answer.usage.prompt_tokens, 0))


@check("models are listed")
def _():
    assert list(client.models.list())


@check("an error of the provider keeps its class and its text")
def _():
    with Sent() as sent:
        try:
            client.chat.completions.create(model=MODEL, messages=user("[fail=422]"))
        except openai.UnprocessableEntityError as error:
            assert "the prompt asked for this failure" in str(error)
        else:
            raise AssertionError("no error")
    sent.only()


@check("an error in mid-stream raises")
def _():
    seen = 0
    try:
        prompt = user("[words=20] [error=5]")
        for _ in client.chat.completions.create(model=BROKEN_MODEL, messages=prompt, stream=True):
            seen += 1
    except openai.APIError:
        assert seen >= 5
    else:
        raise AssertionError("a broken stream ended as if it were whole")


@gateway_check("a bad key: AuthenticationError, and nothing goes upstream")
def _():
    stranger = OpenAI(base_url=route("openai") + "/v1", api_key="not-a-key-of-this-gateway")
    refused(
        lambda: stranger.chat.completions.create(model=MODEL, messages=user("hello")), openai.AuthenticationError, 401
    )


@gateway_check("a spent limit: APIStatusError 402 that says so, and nothing goes upstream")
def _():
    spent = OpenAI(base_url=route("openai") + "/v1", api_key=SPENT_KEY)
    for call in (
        lambda: spent.chat.completions.create(model=MODEL, messages=user("hello")),
        lambda: spent.chat.completions.create(model=MODEL, messages=user("hello"), stream=True),
        lambda: spent.responses.create(model=MODEL, input="hello"),
        lambda: spent.embeddings.create(model="text-embedding-3-small", input="hello"),
    ):
        refused(call, openai.APIStatusError, 402, "limit")


@gateway_check("an unpriced model: BadRequestError that says so, and nothing goes upstream")
def _():
    refused(
        lambda: client.chat.completions.create(model="no-such-model-1", messages=user("hello")),
        openai.BadRequestError,
        400,
        "calculate spend",
    )


finish()
