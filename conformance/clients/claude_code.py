"""Claude Code in print mode, in a home of its own, with a dead proxy between it and the rest of the world."""

import os
import subprocess
import tempfile

from checks import KEY, SPENT_KEY, Sent, check, finish, gateway_check, route

PROGRAM = os.environ["CONFORMANCE_CLAUDE"]
# Nothing listens there: whatever it asks of anybody but the gateway fails.
NOWHERE = "http://127.0.0.1:9"
SECONDS = 120


def claude(prompt: str, key: str) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "ANTHROPIC_BASE_URL": route("anthropic"),
            "ANTHROPIC_AUTH_TOKEN": key,
            "ANTHROPIC_MODEL": "claude-sonnet-4-5",
            "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
            "HTTP_PROXY": NOWHERE,
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
        }
        options = {"env": environment, "cwd": home, "stdin": subprocess.DEVNULL, "timeout": SECONDS}
        return subprocess.run([PROGRAM, "-p", prompt], capture_output=True, text=True, **options)


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


@gateway_check("a spent limit: the text on the screen, and nothing goes upstream")
def _():
    with Sent() as sent:
        ended = claude("hello", SPENT_KEY)
    assert ended.returncode != 0
    assert "402" in ended.stdout and "limit" in ended.stdout, ended.stdout + ended.stderr
    assert sent.requests == []


finish()
