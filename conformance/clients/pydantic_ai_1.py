"""pydantic-ai 1 through its `gateway/` provider. `openai:` means chat; it prices by itself."""

from agents import run_checks
from checks import DIRECT, finish
from providers import BEDROCK_SONNET

run_checks("gateway/openai:gpt-5.2", "openai", "/proxy/openai/chat/completions", reads_cost=False)
run_checks("gateway/openai-responses:gpt-5.2", "openai", "/proxy/openai-responses/responses", reads_cost=False)
run_checks("gateway/anthropic:claude-sonnet-4-5", "anthropic", "/proxy/anthropic/v1/messages", reads_cost=False)
run_checks("gateway/google-vertex:gemini-2.5-flash", "google", "/proxy/google-vertex/v1beta1/", reads_cost=False)
run_checks("gateway/groq:openai/gpt-oss-120b", "groq", "/proxy/groq/openai/v1/chat/completions", reads_cost=False)
# AWS's library sends no bearer key in the clear, and the provider behind speaks no TLS to it.
if not DIRECT:
    run_checks(f"gateway/bedrock:{BEDROCK_SONNET}", "aws", "/proxy/bedrock/model/", reads_cost=False)

finish()
