"""Every provider of the run: its settings, what its host demands of our credential, and whose prices are its own.

All of them live on one socket, each under a path of its own: the path is the host.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

AWS = {"access_key_id": "AKIDSCRIPTED", "secret_access_key": "operator-secret-access-key"}
REGION = "us-east-1"
SONNET = "claude-sonnet-4-5"
BEDROCK_SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
VERTEX_SONNET = "claude-sonnet-4-5@20250929"
# Dollars per million tokens, for what the price data do not know.
OWN_PRICES = {"llama3.3": ("0.10", "0.40"), "llama3.3-broken": ("0.10", "0.40")}

# On requests that a check sends to the provider itself, as a stranger with the same account would.
BEHIND = "x-behind-the-gateway"


@dataclass(frozen=True)
class Provider:
    slug: str
    kind: str
    # The inline table of settings, without the secret, which is `operator-SLUG` unless it says otherwise.
    credential: str
    # As testkit-upstream's `POST /_demand` takes it.
    demand: dict
    # Of the genai-prices package.
    prices: str
    # Between the host and what the SDK of this provider appends.
    base: str = ""
    # Reached over TLS, by a certificate of the run's own authority.
    secure: bool = False
    more: dict = field(default_factory=dict)

    def settings(self, upstream: str, secure: str, directory: Path) -> str:
        lines = {
            "slug": self.slug,
            "kind": self.kind,
            "base_url": f"{secure if self.secure else upstream}/{self.slug}{self.base}",
            "report_cost": "body",
        }
        if self.secure:
            lines["ca_file"] = str(directory / "authority.pem")
        lines |= self.more
        written = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
        return f"[[provider]]\n{written}credential = {{ {self.credential} }}\n"


def environment(directory: Path) -> dict[str, str]:
    """What the machine's own identities are found by."""
    return {
        "GOOGLE_APPLICATION_CREDENTIALS": str(directory / "authorized-user.json"),
        "AWS_ACCESS_KEY_ID": AWS["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": AWS["secret_access_key"],
    }


def placed(slug: str, kind: str, prices: str, header: str | None = None, **more) -> Provider:
    """A provider with a plain secret."""
    secret = f"operator-{slug}"
    demand = {"header": [header, secret]} if header else {"bearer": secret}
    return Provider(slug, kind, f'value = "{secret}"', demand, prices, **more)


def providers(accounts: dict) -> list[Provider]:
    """`accounts` are whom the token endpoints know."""
    entra = accounts["entra"]
    tenant, client = entra["tenant_id"], entra["client_id"]
    keys = f'placement = "aws-keys", access_key_id = "{AWS["access_key_id"]}", value = "{AWS["secret_access_key"]}"'
    signature = {"signature": AWS | {"region": REGION, "service": "bedrock"}}
    mantle_signature = {"signature": AWS | {"region": REGION, "service": "bedrock-mantle"}}
    application = f'tenant_id = "{tenant}", client_id = "{client}", value = "{entra["client_secret"]}"'
    vertex = {"project": "the-operators", "location": "us-central1"}
    return [
        placed("openai", "openai", "openai", base="/v1", more={"allow_deferred": True}),
        placed("anthropic", "anthropic", "anthropic", header="x-api-key", more={"allow_deferred": True}),
        placed("gemini", "google-gemini", "google", header="x-goog-api-key"),
        Provider(
            "google-vertex",
            "google-vertex",
            'file = "service-account.json"',
            {"token": "google"},
            "google",
            secure=True,
            more=vertex,
        ),
        Provider(
            "vertex-user",
            "google-vertex",
            'placement = "google-default"',
            {"token": "google"},
            "google",
            secure=True,
            more=vertex,
        ),
        placed("azure", "azure", "azure", header="api-key"),
        Provider(
            "azure-entra",
            "azure",
            f'placement = "entra", authority = "{accounts["authority"]}", {application}',
            {"token": "entra"},
            "azure",
            secure=True,
            more={"api_version": "2024-10-21"},
        ),
        Provider("bedrock", "bedrock", keys, signature, "aws", more={"region": REGION}),
        Provider("bedrock-chain", "bedrock", 'placement = "aws-chain"', signature, "aws", more={"region": REGION}),
        placed("bedrock-key", "bedrock", "aws", more={"region": REGION}),
        Provider("mantle", "bedrock-mantle", keys, mantle_signature, "aws", more={"region": REGION}),
        placed("groq", "groq", "groq"),
        placed("mistral", "mistral", "mistral"),
        placed("huggingface", "huggingface", "huggingface_groq", base="/v1"),
        placed("ollama", "ollama", "own"),
    ]


def groups() -> str:
    """Routes with names that old clients use, and one per cloud for the client that knows Anthropic only."""

    def group(slug: str, provider: str, models: dict[str, str] | None = None) -> str:
        renamed = ", ".join(f"{json.dumps(asked)} = {json.dumps(sent)}" for asked, sent in (models or {}).items())
        target = f'{{ provider = "{provider}", models = {{ {renamed} }} }}'
        return f'[[routing_group]]\nslug = "{slug}"\ntargets = [{target}]\n'

    return "\n".join([
        group("openai-chat", "openai"),
        group("openai-responses", "openai"),
        group("claude-anthropic", "anthropic"),
        group("claude-bedrock", "bedrock", {SONNET: BEDROCK_SONNET}),
        group("claude-vertex", "google-vertex", {SONNET: VERTEX_SONNET}),
        group("claude-azure", "azure"),
    ])


def own_prices() -> str:
    """Of the provider declared last."""
    rows = (
        f'"{model}" = {{ input = "{input}", output = "{output}" }}' for model, (input, output) in OWN_PRICES.items()
    )
    return f"prices = {{ {', '.join(rows)} }}\n"


def is_for_token(request: dict) -> bool:
    """Whether a request in the provider's log was made by the gateway for itself, to have a token."""
    return request["target"] == "/token" or request["target"].endswith("/oauth2/v2.0/token")
