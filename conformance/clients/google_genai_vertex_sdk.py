"""The official Google SDK in Vertex mode: with an API key (express), and with a project and an access token."""

import time

from checks import (
    DIRECT,
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
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

MODEL = "gemini-2.5-flash"
BROKEN_MODEL = "gemini-2.5-flash-lite"
WEATHER = types.FunctionDeclaration(
    name="weather",
    parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def options(name: str = "google-vertex") -> types.HttpOptions:
    return types.HttpOptions(base_url=route(name))


def express(key: str, name: str = "google-vertex") -> genai.Client:
    return genai.Client(vertexai=True, api_key=key, http_options=options(name))


def with_token(key: str) -> genai.Client:
    place = {"project": "the-callers", "location": "us-central1"}
    return genai.Client(vertexai=True, credentials=Credentials(token=key), **place, http_options=options())


def run_checks(name: str, connect) -> None:
    client = connect(KEY)

    def ask(text: str, **more) -> dict:
        return {"model": MODEL, "contents": text, **more}

    @check(f"{name}: a whole answer, its usage and its cost")
    def _():
        with Sent() as sent:
            answer = client.models.generate_content(**ask("hello [cached] [think]"))
        request = sent.only()
        if not DIRECT:
            assert "/projects/the-operators/locations/us-central1/publishers/google/" in request["target"]
        assert answer.text == heard(request)
        usage = answer.usage_metadata
        assert (usage.prompt_token_count, usage.thoughts_token_count) == (request["input_tokens"], 24)
        headers = {name.lower(): value for name, value in answer.sdk_http_response.headers.items()}
        same_cost(headers.get("tollgate-cost"), price_of("google", MODEL, request))

    @check(f"{name}: a stream arrives piece by piece, with usage on its last")
    def _():
        arrivals, text, usage = [], "", None
        for chunk in client.models.generate_content_stream(**ask("[words=10] [pace=30]")):
            arrivals.append(time.monotonic())
            text += chunk.text or ""
            usage = chunk.usage_metadata or usage
        assert text == WORDS
        assert usage.candidates_token_count == 10
        is_incremental(arrivals[:10])

    @check(f"{name}: tools are called")
    def _():
        config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[WEATHER])])
        answer = client.models.generate_content(**ask("[tool] weather?", config=config))
        assert (answer.function_calls[0].name, answer.function_calls[0].args) == ("weather", {"city": "Paris"})

    @check(f"{name}: tokens are counted, for nothing")
    def _():
        with Sent() as sent:
            counted = client.models.count_tokens(**ask("hello"))
        assert counted.total_tokens == 8 + len("hello" + "user") // 4
        assert sent.only()["input_tokens"] == 0

    @check(f"{name}: embeddings have vectors and a cost")
    def _():
        model = "gemini-embedding-001"
        with Sent() as sent:
            answer = client.models.embed_content(model=model, contents=["one"])
        assert answer.embeddings[0].values == [0.5, -0.25, 0.125, 0.0]
        headers = {name.lower(): value for name, value in answer.sdk_http_response.headers.items()}
        same_cost(headers.get("tollgate-cost"), price_of("google", model, sent.only()))

    @check(f"{name}: an error of the provider keeps its class and its text")
    def _():
        call = lambda: client.models.generate_content(**ask("[fail=404]"))  # noqa: E731
        raises(call, errors.ClientError, 404, "the prompt asked for this failure")

    @check(f"{name}: an error in mid-stream raises")
    def _():
        seen = 0
        try:
            for _ in client.models.generate_content_stream(**ask("[words=20] [error=5]") | {"model": BROKEN_MODEL}):
                seen += 1
        except errors.APIError:
            assert seen == 5
        else:
            raise AssertionError("a broken stream ended as if it were whole")

    @gateway_check(f"{name}: a bad key: ClientError 401, and nothing goes upstream")
    def _():
        stranger = connect(STRANGER)
        refused(lambda: stranger.models.generate_content(**ask("hello")), errors.ClientError, 401)

    @gateway_check(f"{name}: a spent limit: one attempt, our text, and nothing goes upstream")
    def _():
        spent = connect(SPENT_KEY)
        for call in (
            lambda: spent.models.generate_content(**ask("hello")),
            lambda: list(spent.models.generate_content_stream(**ask("hello"))),
        ):
            refused(call, errors.ClientError, 402, "limit")


run_checks("express", express)
run_checks("with a project", with_token)


@gateway_check("a provider whose credential is what Google's defaults find")
def _():
    client = express(KEY, "vertex-user")
    with Sent() as sent:
        answer = client.models.generate_content(model=MODEL, contents="hello")
    assert answer.text == heard(sent.only())


finish()
