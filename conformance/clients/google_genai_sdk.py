"""The official Google SDK, as an AI Studio client: generate, stream, tools, counting, refusals."""

import time

from checks import KEY, SPENT_KEY, Sent, check, finish, gateway_check, is_incremental, price, refused, route, same_cost
from google import genai
from google.genai import errors, types

MODEL = "gemini-2.5-flash"
BROKEN_MODEL = "gemini-2.5-flash-lite"
WEATHER = types.FunctionDeclaration(
    name="weather",
    parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def connect(key: str) -> genai.Client:
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=route("gemini")))


client = connect(KEY)


@check("a whole answer, its usage and its cost")
def _():
    with Sent() as sent:
        answer = client.models.generate_content(model=MODEL, contents="hello [cached] [think]")
    request = sent.only()
    usage = answer.usage_metadata
    assert answer.text == f"The scripted provider heard {request['input_tokens']} tokens."
    assert (usage.prompt_token_count, usage.thoughts_token_count) == (request["input_tokens"], 24)
    output = usage.candidates_token_count + usage.thoughts_token_count
    assert output == request["output_tokens"]
    cost = price("google", MODEL, usage.prompt_token_count, output, usage.cached_content_token_count)
    headers = {name.lower(): value for name, value in answer.sdk_http_response.headers.items()}
    same_cost(headers.get("tollgate-cost"), cost)
    same_cost(headers.get("logfire-ai-gateway-cost"), cost)


@check("a stream arrives piece by piece")
def _():
    arrivals, text, usage = [], "", None
    for chunk in client.models.generate_content_stream(model=MODEL, contents="[words=10] [pace=30]"):
        arrivals.append(time.monotonic())
        text += chunk.text or ""
        usage = chunk.usage_metadata or usage
    assert text == " ".join(f"word{n}" for n in range(1, 11))
    assert usage.candidates_token_count == 10
    is_incremental(arrivals[:10])


@check("tools are called")
def _():
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[WEATHER])])
    answer = client.models.generate_content(model=MODEL, contents="[tool] weather?", config=config)
    assert (answer.function_calls[0].name, answer.function_calls[0].args) == ("weather", {"city": "Paris"})


@check("tokens are counted, for nothing")
def _():
    with Sent() as sent:
        counted = client.models.count_tokens(model=MODEL, contents="hello")
    assert counted.total_tokens == 8 + len("hello" + "user") // 4
    assert sent.only()["input_tokens"] == 0


@check("an error of the provider keeps its class and its text")
def _():
    with Sent() as sent:
        try:
            client.models.generate_content(model=MODEL, contents="[fail=404]")
        except errors.ClientError as error:
            assert error.code == 404
            assert "the prompt asked for this failure" in str(error)
        else:
            raise AssertionError("no error")
    sent.only()


@check("an error in mid-stream raises")
def _():
    seen = 0
    try:
        for _ in client.models.generate_content_stream(model=BROKEN_MODEL, contents="[words=20] [error=5]"):
            seen += 1
    except errors.APIError:
        assert seen == 5
    else:
        raise AssertionError("a broken stream ended as if it were whole")


@gateway_check("a bad key: ClientError 401, and nothing goes upstream")
def _():
    stranger = connect("not-a-key-of-this-gateway")
    refused(lambda: stranger.models.generate_content(model=MODEL, contents="hello"), errors.ClientError, 401)


@gateway_check("a spent limit: ClientError 402 that says so, and nothing goes upstream")
def _():
    spent = connect(SPENT_KEY)
    for call in (
        lambda: spent.models.generate_content(model=MODEL, contents="hello"),
        lambda: list(spent.models.generate_content_stream(model=MODEL, contents="hello")),
    ):
        refused(call, errors.ClientError, 402, "limit")


@gateway_check("an unpriced model: ClientError 400 that says so, and nothing goes upstream")
def _():
    refused(
        lambda: client.models.generate_content(model="no-such-model-1", contents="hello"),
        errors.ClientError,
        400,
        "calculate spend",
    )


finish()
