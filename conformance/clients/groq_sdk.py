"""The official Groq SDK."""

import groq
from chats import Dialect, cost_of, run_checks, user
from checks import KEY, Sent, check, finish, route, same_cost
from groq import Groq

MODEL = "openai/gpt-oss-120b"


def connect(key: str) -> Groq:
    return Groq(base_url=route("groq"), api_key=key)


def stream(key: str):
    create = connect(key).chat.completions.create
    return lambda **ask: create(stream=True, **ask)


dialect = Dialect(
    create=lambda key: connect(key).chat.completions.create,
    stream=stream,
    model=MODEL,
    broken_model="llama-3.3-70b-versatile",
    prices="groq",
    unauthorized=groq.AuthenticationError,
    payment_required=groq.APIStatusError,
    bad_request=groq.BadRequestError,
    broken=groq.APIError,
)
run_checks("chat", dialect)


@check("the cost of a whole answer, in a header and in its usage")
def _():
    with Sent() as sent:
        raw = connect(KEY).chat.completions.with_raw_response.create(model=MODEL, messages=user("hello [cached]"))
    cost = cost_of(dialect, sent.only())
    same_cost(raw.headers.get("tollgate-cost"), cost)
    same_cost(getattr(raw.parse().usage, "logfire_ai_gateway", None), cost)


@check("the usage of a stream stands where Groq puts it")
def _():
    usage = None
    for chunk in stream(KEY)(model=MODEL, messages=user("[words=7]")):
        if chunk.x_groq and chunk.x_groq.usage:
            usage = chunk.x_groq.usage
    assert usage.completion_tokens == 7


finish()
