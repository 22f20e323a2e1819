"""Hugging Face's SDK against the router: priced by the provider that served."""

from chats import Dialect, run_checks, user
from checks import KEY, Sent, check, finish, route
from huggingface_hub import InferenceClient
from huggingface_hub.errors import BadRequestError, HfHubHTTPError

MODEL = "openai/gpt-oss-120b"


def connect(key: str):
    return InferenceClient(base_url=route("huggingface") + "/v1", api_key=key).chat.completions.create


def stream(key: str):
    create = connect(key)
    return lambda **ask: create(stream=True, **ask)


dialect = Dialect(
    create=connect,
    stream=stream,
    model=MODEL,
    broken_model="meta-llama/Llama-3.3-70B-Instruct",
    prices="huggingface_groq",
    unauthorized=HfHubHTTPError,
    payment_required=HfHubHTTPError,
    bad_request=BadRequestError,
    broken=Exception,
)
run_checks("chat", dialect)


@check("a suffix that says how to choose a server is the router's business")
def _():
    with Sent() as sent:
        answer = connect(KEY)(model=f"{MODEL}:fastest", messages=user("[words=3]"))
    assert answer.model == MODEL
    assert '"openai/gpt-oss-120b:fastest"' in sent.only()["body"]


finish()
