"""The checks that SDKs with OpenAI's shape of chat share: the client, its error classes and its ways are arguments."""

import time
from dataclasses import dataclass
from typing import Any, Callable

from checks import (
    KEY,
    SPENT_KEY,
    STRANGER,
    WORDS,
    Sent,
    check,
    gateway_check,
    heard,
    is_incremental,
    price_of,
    raises,
    refused,
)

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@dataclass(frozen=True)
class Dialect:
    """How one SDK is spoken to."""

    # For a key, a function that takes `messages`, `tools`, `model` and gives an answer.
    create: Callable[[str], Callable[..., Any]]
    # The same for a stream of chunks.
    stream: Callable[[str], Callable[..., Any]]
    # What the provider calls the model, and whose prices it has.
    model: str
    broken_model: str
    prices: str
    # Raised for a bad key, a spent limit, a bad request, a broken stream.
    unauthorized: type
    payment_required: type
    bad_request: type
    broken: type
    # The model's name on the books, where it is not the one asked for.
    priced_as: str | None = None


def user(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


def cost_of(dialect: Dialect, request: dict):
    return price_of(dialect.prices, dialect.priced_as or dialect.model, request)


def run_checks(name: str, dialect: Dialect) -> None:
    create, stream, model = dialect.create(KEY), dialect.stream(KEY), dialect.model

    @check(f"{name}: a whole answer and its usage")
    def _():
        with Sent() as sent:
            answer = create(model=model, messages=user("hello [cached]"))
        request = sent.only()
        assert answer.choices[0].message.content == heard(request)
        assert answer.choices[0].finish_reason == "stop"
        told = (answer.usage.prompt_tokens, answer.usage.completion_tokens)
        assert told == (request["input_tokens"], request["output_tokens"])

    @check(f"{name}: a stream arrives piece by piece")
    def _():
        arrivals, text = [], ""
        for chunk in stream(model=model, messages=user("[words=10] [pace=30]")):
            chunk = getattr(chunk, "data", chunk)
            if chunk.choices and chunk.choices[0].delta.content:
                arrivals.append(time.monotonic())
                text += chunk.choices[0].delta.content
        assert text == WORDS
        is_incremental(arrivals)

    @check(f"{name}: tools are called, whole and streamed, and their answers are sent back")
    def _():
        prompt = user("[tool] how is the weather?")
        answer = create(model=model, messages=prompt, tools=[TOOL])
        call = answer.choices[0].message.tool_calls[0]
        assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Paris"}')
        pieces = ""
        for chunk in stream(model=model, messages=prompt, tools=[TOOL]):
            chunk = getattr(chunk, "data", chunk)
            for piece in chunk.choices[0].delta.tool_calls or [] if chunk.choices else []:
                pieces += piece.function.arguments
        assert pieces == '{"city":"Paris"}'
        function = {"name": "weather", "arguments": call.function.arguments}
        calls = [{"id": call.id, "type": "function", "function": function}]
        asked = {"role": "assistant", "content": "", "tool_calls": calls}
        told = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
        answer = create(model=model, messages=[*prompt, asked, told], tools=[TOOL])
        assert answer.choices[0].message.content == "The tool said: sunny"

    @check(f"{name}: an error of the provider keeps its class and its text")
    def _():
        failing = user("[fail=400]")
        raises(lambda: create(model=model, messages=failing), dialect.bad_request, 400, "asked for this failure")

    @check(f"{name}: an error in mid-stream raises")
    def _():
        seen = 0
        try:
            for _ in stream(model=dialect.broken_model, messages=user("[words=20] [error=5]")):
                seen += 1
        except dialect.broken:
            assert seen >= 5
        else:
            raise AssertionError("a broken stream ended as if it were whole")

    @gateway_check(f"{name}: a bad key, and nothing goes upstream")
    def _():
        for kind in (dialect.create, dialect.stream):
            call = lambda: list(kind(STRANGER)(model=model, messages=user("hello")))  # noqa: B023, E731
            refused(call, dialect.unauthorized, 401)

    @gateway_check(f"{name}: a spent limit: one attempt, our text, and nothing goes upstream")
    def _():
        for kind in (dialect.create, dialect.stream):
            call = lambda: list(kind(SPENT_KEY)(model=model, messages=user("hello")))  # noqa: B023, E731
            refused(call, dialect.payment_required, 402, "limit")

    @gateway_check(f"{name}: an unpriced model, and nothing goes upstream")
    def _():
        call = lambda: create(model="no-such-model-1", messages=user("hello"))  # noqa: E731
        refused(call, dialect.bad_request, 400, "calculate spend")
