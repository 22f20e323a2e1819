"""The official Mistral SDK: chat, fill-in-the-middle, embeddings, refusals."""

from chats import Dialect, run_checks, user
from checks import KEY, Sent, check, finish, route
from mistralai.client import Mistral
from mistralai.client.errors import MistralError

MODEL = "mistral-large-latest"
CODE_MODEL = "codestral-latest"


def connect(key: str) -> Mistral:
    return Mistral(server_url=route("mistral"), api_key=key)


dialect = Dialect(
    create=lambda key: connect(key).chat.complete,
    stream=lambda key: connect(key).chat.stream,
    model=MODEL,
    broken_model="mistral-small-latest",
    prices="mistral",
    unauthorized=MistralError,
    payment_required=MistralError,
    bad_request=MistralError,
    broken=MistralError,
)
run_checks("chat", dialect)


@check("the usage of a stream stands on its last chunk, and nothing was asked for it")
def _():
    usage = None
    with Sent() as sent:
        for event in connect(KEY).chat.stream(model=MODEL, messages=user("[words=7]")):
            usage = event.data.usage or usage
    assert usage.completion_tokens == 7
    assert "stream_options" not in sent.only()["body"]


@check("fill-in-the-middle")
def _():
    with Sent() as sent:
        answer = connect(KEY).fim.complete(model=CODE_MODEL, prompt="def f(): [words=3]", suffix="return 1")
    assert answer.choices[0].message.content == "word1 word2 word3"
    assert sent.only()["target"].endswith("/v1/fim/completions")


@check("embeddings")
def _():
    answer = connect(KEY).embeddings.create(model="mistral-embed", inputs=["one", "two"])
    assert [item.embedding for item in answer.data] == [[0.5, -0.25, 0.125, 0.0]] * 2


finish()
