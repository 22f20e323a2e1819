"""pydantic-ai 2 through its `gateway/` provider. `openai:` means the Responses API."""

from agents import run_checks
from checks import DIRECT, finish
from providers import BEDROCK_SONNET

run_checks("gateway/openai:gpt-5.2", "openai", "/proxy/openai/responses", reads_cost=True)
run_checks("gateway/openai-chat:gpt-5.2", "openai", "/proxy/openai/chat/completions", reads_cost=True)
run_checks("gateway/anthropic:claude-sonnet-4-5", "anthropic", "/proxy/anthropic/v1/messages", reads_cost=True)
run_checks("gateway/google-cloud:gemini-2.5-flash", "google", "/proxy/google-vertex/v1beta1/", reads_cost=True)
run_checks("gateway/groq:openai/gpt-oss-120b", "groq", "/proxy/groq/openai/v1/chat/completions", reads_cost=True)
# AWS's library sends no bearer key in the clear, and the provider behind speaks no TLS to it.
if not DIRECT:
    run_checks(f"gateway/bedrock:{BEDROCK_SONNET}", "aws", "/proxy/bedrock/model/", reads_cost=True)

finish()
