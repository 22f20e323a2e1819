"""Claude Code in print mode, in a home of its own, with a dead proxy between it and the rest of the world.

It speaks Anthropic's Messages and knows of no cloud: where its group's target lives is the gateway's affair.
"""

import json
import os
import subprocess
import tempfile

from checks import KEY, SPENT_KEY, Attempts, Sent, check, finish, gateway_check, route
from providers import BEDROCK_SONNET, SONNET, VERTEX_SONNET

PROGRAM = os.environ["CONFORMANCE_CLAUDE"]
# Nothing listens there: whatever it asks of anybody but the gateway fails.
NOWHERE = "http://127.0.0.1:9"
SECONDS = 120
# By group: the end of the path at the provider.
CLOUDS = {
    "claude-anthropic": "/anthropic/v1/messages?beta=true",
    "claude-bedrock": f"/bedrock/model/{BEDROCK_SONNET.replace(':', '%3A')}/invoke-with-response-stream",
    "claude-vertex": f"/publishers/anthropic/models/{VERTEX_SONNET.replace('@', '%40')}:streamRawPredict",
    "claude-azure": "/azure/anthropic/v1/messages?beta=true",
}


def claude(prompt: str, key: str, name: str = "anthropic", *options: str) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "ANTHROPIC_BASE_URL": route(name),
            "ANTHROPIC_AUTH_TOKEN": key,
            "ANTHROPIC_MODEL": SONNET,
            "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
            "HTTP_PROXY": NOWHERE,
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
        }
        command = [PROGRAM, "-p", prompt, *options]
        kept = {"env": environment, "cwd": home, "stdin": subprocess.DEVNULL, "timeout": SECONDS}
        return subprocess.run(command, capture_output=True, text=True, **kept)


@check("prints the provider's answer")
def _():
    with Sent() as sent:
        ended = claude("[words=4]", KEY)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.strip() == "word1 word2 word3 word4"
    request = sent.only()
    assert request["target"].endswith("/v1/messages?beta=true")
    headers = {name.lower() for name, _ in request["headers"]}
    assert "x-claude-code-session-id" in headers and "anthropic-beta" in headers


def run_cloud_checks(group: str, path: str) -> None:
    @gateway_check(f"{group}: the same, and the pieces of the stream one by one")
    def _():
        flags = ["--output-format", "stream-json", "--include-partial-messages", "--verbose"]
        with Sent() as sent:
            ended = claude("[words=6]", KEY, group, *flags)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert path in sent.only()["target"], sent.only()["target"]
        events = [json.loads(line) for line in ended.stdout.splitlines()]
        deltas = [event["event"].get("delta", {}) for event in events if event["type"] == "stream_event"]
        assert [delta["text"].strip() for delta in deltas if "text" in delta] == [f"word{n}" for n in range(1, 7)]
        result = events[-1]
        assert result["result"] == "word1 word2 word3 word4 word5 word6"
        assert result["usage"]["output_tokens"] == 6, result["usage"]

    @gateway_check(f"{group}: a tool is run and its answer sent back")
    def _():
        with Sent() as sent:
            ended = claude("[tool=Glob] look", KEY, group, "--allowedTools", "Glob")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert len(sent.requests) == 2, f"{len(sent.requests)} requests"
        assert ended.stdout.startswith("The tool said:"), ended.stdout


for group, path in CLOUDS.items():
    run_cloud_checks(group, path)


@gateway_check("a spent limit: one attempt, the text on the screen, and nothing goes upstream")
def _():
    for name in ("anthropic", "claude-bedrock"):
        with Sent() as sent, Attempts() as attempts:
            ended = claude("hello", SPENT_KEY, name)
        assert ended.returncode != 0
        assert "402" in ended.stdout and "limit" in ended.stdout, ended.stdout + ended.stderr
        assert sent.requests == []
        assert attempts.count == 1, f"{attempts.count} attempts"


finish()
