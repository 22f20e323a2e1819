"""The official OpenAI SDK where its dialect is spoken by others: Bedrock, Vertex, AI Studio, Mistral, Ollama."""

import openai
from chats import Dialect, run_checks
from checks import DIRECT, finish, route
from openai import OpenAI

# By route: what the caller appends to it, the model, one to break streams of, whose prices.
PLACES = {
    "bedrock": ("/openai/v1", "openai.gpt-oss-120b-1:0", "openai.gpt-oss-20b-1:0", "aws"),
    "mantle": ("/openai/v1", "openai.gpt-oss-120b-1:0", "openai.gpt-oss-20b-1:0", "aws"),
    "google-vertex": (
        "/v1/projects/p/locations/l/endpoints/openapi",
        "google/gemini-2.5-flash",
        "google/gemini-2.5-flash-lite",
        "google",
    ),
    "gemini": ("/v1beta/openai", "gemini-2.5-flash", "gemini-2.5-flash-lite", "google"),
    "mistral": ("/v1", "mistral-large-latest", "mistral-small-latest", "mistral"),
    "ollama": ("/v1", "llama3.3", "llama3.3-broken", "own"),
}


def dialect(name: str) -> Dialect:
    path, model, broken_model, prices = PLACES[name]

    def create(key: str):
        return OpenAI(base_url=route(name) + path, api_key=key).chat.completions.create

    def stream(key: str):
        return lambda **ask: create(key)(stream=True, **ask)

    return Dialect(
        create=create,
        stream=stream,
        model=model,
        broken_model=broken_model,
        prices=prices,
        unauthorized=openai.AuthenticationError,
        payment_required=openai.APIStatusError,
        bad_request=openai.BadRequestError,
        broken=openai.APIError,
    )


for name in PLACES:
    # Without the gateway there is nobody who would sign.
    if not (DIRECT and name == "bedrock"):
        run_checks(name, dialect(name))

finish()
