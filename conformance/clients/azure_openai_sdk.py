"""The official OpenAI SDK's client for Azure: by deployments as it does by default, and by the v1 paths; the provider
behind it takes a key, or a token of Microsoft Entra."""

import openai
from chats import Dialect, cost_of, run_checks, user
from checks import DIRECT, KEY, Sent, check, finish, route, same_cost
from openai import AzureOpenAI, OpenAI

MODEL = "gpt-4.1"


def deployments(key: str, name: str = "azure") -> AzureOpenAI:
    return AzureOpenAI(azure_endpoint=route(name), api_key=key, api_version="2024-10-21")


def entra(key: str) -> AzureOpenAI:
    return deployments(key, "azure-entra")


def v1(key: str) -> OpenAI:
    return OpenAI(base_url=route("azure") + "/openai/v1", api_key=key)


def dialect(connect) -> Dialect:
    def stream(key: str):
        create = connect(key).chat.completions.create
        return lambda **ask: create(stream=True, **ask)

    return Dialect(
        create=lambda key: connect(key).chat.completions.create,
        stream=stream,
        model=MODEL,
        broken_model="gpt-4.1-mini",
        prices="azure",
        unauthorized=openai.AuthenticationError,
        payment_required=openai.APIStatusError,
        bad_request=openai.BadRequestError,
        broken=openai.APIError,
    )


for name, connect in (("deployments", deployments), ("with Entra", entra), ("v1", v1)):
    run_checks(name, dialect(connect))


@check("the cost of a whole answer")
def _():
    with Sent() as sent:
        raw = deployments(KEY).chat.completions.with_raw_response.create(model=MODEL, messages=user("hello [cached]"))
    same_cost(raw.headers.get("tollgate-cost"), cost_of(dialect(deployments), sent.only()))


@check("what the content filter says first reaches the client, and usage comes last when it was asked for")
def _():
    ask = {"model": MODEL, "messages": user("[words=3]"), "stream": True}
    chunks = list(deployments(KEY).chat.completions.create(**ask, stream_options={"include_usage": True}))
    assert chunks[0].choices == [] and chunks[0].model_extra["prompt_filter_results"]
    assert chunks[-1].usage.completion_tokens == 3
    chunks = list(deployments(KEY).chat.completions.create(**ask))
    assert chunks[0].model_extra["prompt_filter_results"]
    assert not any(chunk.usage for chunk in chunks)


@check("the deployment goes into the path or the body, as the provider's settings say")
def _():
    for name, path in (("azure", "/azure/openai/v1/chat/completions"), ("azure-entra", f"/deployments/{MODEL}/chat/")):
        with Sent() as sent:
            deployments(KEY, name).chat.completions.create(model=MODEL, messages=user("hello"))
        if not DIRECT:
            assert path in sent.only()["target"], sent.only()["target"]


@check("responses and embeddings")
def _():
    client = v1(KEY)
    assert client.responses.create(model=MODEL, input="[words=3]").output_text == "word1 word2 word3"
    answer = deployments(KEY).embeddings.create(model="text-embedding-3-small", input="one")
    assert answer.data[0].embedding == [0.5, -0.25, 0.125, 0.0]


finish()
