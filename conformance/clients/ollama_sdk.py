"""Ollama's SDK: its own API, a line per piece."""

import time

import ollama
from chats import TOOL, user
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
    raises,
    refused,
    route,
)

MODEL = "llama3.3"


def connect(key: str) -> ollama.Client:
    return ollama.Client(host=route("ollama"), headers={"authorization": f"Bearer {key}"})


client = connect(KEY)


@check("chat: a whole answer and its usage")
def _():
    with Sent() as sent:
        answer = client.chat(model=MODEL, messages=user("hello"))
    request = sent.only()
    assert answer.message.content == heard(request)
    assert (answer.prompt_eval_count, answer.eval_count) == (request["input_tokens"], request["output_tokens"])


@check("chat: a stream arrives piece by piece")
def _():
    arrivals, text, last = [], "", None
    for last in client.chat(model=MODEL, messages=user("[words=10] [pace=30]"), stream=True):
        arrivals.append(time.monotonic())
        text += last.message.content
    assert (text, last.done, last.eval_count) == (WORDS, True, 10)
    is_incremental(arrivals)


@check("chat: tools are called, whole and streamed")
def _():
    ask = {"model": MODEL, "messages": user("[tool] weather?"), "tools": [TOOL]}
    whole = client.chat(**ask).message.tool_calls[0].function
    streamed = [part.message.tool_calls for part in client.chat(**ask, stream=True) if part.message.tool_calls]
    for call in (whole, streamed[0][0].function):
        assert (call.name, call.arguments) == ("weather", {"city": "Paris"})


@check("generate and embed")
def _():
    assert client.generate(model=MODEL, prompt="[words=3]").response == "word1 word2 word3"
    assert client.embed(model=MODEL, input=["one", "two"]).embeddings == [[0.5, -0.25, 0.125, 0.0]] * 2


@check("an error of the provider keeps its class and its text")
def _():
    call = lambda: client.chat(model=MODEL, messages=user("[fail=400]"))  # noqa: E731
    raises(call, ollama.ResponseError, 400, "the prompt asked for this failure")


@check("an error in mid-stream raises")
def _():
    seen = 0
    try:
        for _ in client.chat(model="llama3.3-broken", messages=user("[words=20] [error=5]"), stream=True):
            seen += 1
    except ollama.ResponseError:
        assert seen == 5
    else:
        raise AssertionError("a broken stream ended as if it were whole")


@gateway_check("a bad key: 401, and nothing goes upstream")
def _():
    stranger = connect(STRANGER)
    refused(lambda: stranger.chat(model=MODEL, messages=user("hello")), ollama.ResponseError, 401)


@gateway_check("a spent limit: one attempt, our text, and nothing goes upstream")
def _():
    spent = connect(SPENT_KEY)
    for call in (
        lambda: spent.chat(model=MODEL, messages=user("hello")),
        lambda: list(spent.chat(model=MODEL, messages=user("hello"), stream=True)),
        lambda: spent.generate(model=MODEL, prompt="hello"),
    ):
        refused(call, ollama.ResponseError, 402, "limit")


@gateway_check("an unpriced model: 400 that says so, and nothing goes upstream")
def _():
    call = lambda: client.chat(model="no-such-model-1", messages=user("hello"))  # noqa: E731
    refused(call, ollama.ResponseError, 400, "calculate spend")


finish()
