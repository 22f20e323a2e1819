"""Objects that outlive their request, by the SDKs of OpenAI and Anthropic: files, batches and responses, made, found,
worked through, thrown away; and nobody else's."""

import io
import json

import anthropic
import openai
from anthropic import Anthropic
from checks import BASE, DIRECT, KEY, SPENT_KEY, UPSTREAM, Sent, check, finish, gateway_check, refused, route
from openai import OpenAI
from providers import BEHIND

MODEL = "gpt-4.1-nano"
TALKER = "gpt-5-mini"
CLAUDE = "claude-opus-4-5"

gpt = OpenAI(base_url=route("openai") + "/v1", api_key=KEY)
claude = Anthropic(base_url=route("anthropic"), api_key=KEY)


def order(text: str = "[words=3]") -> bytes:
    body = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": text}]}
    lines = [
        json.dumps({"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}) for name in "ab"
    ]
    return "\n".join(lines).encode()


@check("openai: a file is kept, listed, read and deleted")
def _():
    made = gpt.files.create(file=("notes.txt", io.BytesIO(b"some notes")), purpose="user_data")
    assert made.bytes == 10
    assert gpt.files.retrieve(made.id).filename == "notes.txt"
    assert gpt.files.content(made.id).read() == b"some notes"
    assert made.id in [file.id for file in gpt.files.list()]
    assert gpt.files.delete(made.id).deleted
    try:
        gpt.files.retrieve(made.id)
    except openai.NotFoundError:
        pass
    else:
        raise AssertionError("a deleted file was found")


@check("openai: a batch is made of a file, done, and its results are read")
def _():
    file = gpt.files.create(file=("batch.jsonl", io.BytesIO(order())), purpose="batch")
    made = gpt.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert made.status == "validating"
    done = gpt.batches.retrieve(made.id)
    assert (done.status, done.usage.output_tokens) == ("completed", 6)
    assert made.id in [batch.id for batch in gpt.batches.list()]
    lines = gpt.files.content(done.output_file_id).text.splitlines()
    answers = [json.loads(line)["response"]["body"]["choices"][0]["message"]["content"] for line in lines]
    assert answers == ["word1 word2 word3"] * 2


@check("anthropic: a batch is made, done, and its results come from where the client asked")
def _():
    params = {"model": CLAUDE, "max_tokens": 100, "messages": [{"role": "user", "content": "[words=3]"}]}
    made = claude.messages.batches.create(requests=[{"custom_id": "a", "params": params}])
    assert made.processing_status == "in_progress"
    done = claude.messages.batches.retrieve(made.id)
    assert done.processing_status == "ended"
    if not DIRECT:
        assert done.results_url.startswith(BASE), f"the key would be sent to {done.results_url}"
    results = list(claude.messages.batches.results(made.id))
    assert results[0].result.message.content[0].text == "word1 word2 word3"
    assert made.id in [batch.id for batch in claude.messages.batches.list()]


@check("openai: a response is stored, gone on with, read and deleted")
def _():
    first = gpt.responses.create(model=TALKER, input="[words=3]")
    second = gpt.responses.create(model=TALKER, input="[words=4]", previous_response_id=first.id)
    assert gpt.responses.retrieve(first.id).output_text == "word1 word2 word3"
    assert gpt.responses.retrieve(second.id).previous_response_id == first.id
    assert list(gpt.responses.input_items.list(first.id))
    gpt.responses.delete(first.id)
    try:
        gpt.responses.retrieve(first.id)
    except openai.NotFoundError:
        pass
    else:
        raise AssertionError("a deleted response was found")


@check("openai: work in the background is found done, and billed once")
def _():
    made = gpt.responses.create(model=TALKER, input="[words=5]", background=True)
    assert (made.status, made.usage) == ("queued", None)
    for _ in range(3):
        done = gpt.responses.retrieve(made.id)
        assert (done.status, done.usage.output_tokens) == ("completed", 5)


@gateway_check("strangers' objects are not found, and are in no list")
def _():
    # The key is of the same project; the object was made behind the gateway's back.
    behind = OpenAI(base_url=f"{UPSTREAM}/openai/v1", api_key="operator-openai", default_headers={BEHIND: "1"})
    alien = behind.files.create(file=("theirs.txt", io.BytesIO(b"theirs")), purpose="user_data")
    refused(lambda: gpt.files.retrieve(alien.id), openai.NotFoundError, 404)
    refused(lambda: gpt.files.content(alien.id), openai.NotFoundError, 404)
    said = behind.responses.create(model=TALKER, input="hello")
    refused(lambda: gpt.responses.retrieve(said.id), openai.NotFoundError, 404)
    assert alien.id not in [file.id for file in gpt.files.list()]


@gateway_check("a spent limit: a batch is refused, our text, and nothing goes upstream")
def _():
    spent = OpenAI(base_url=route("openai") + "/v1", api_key=SPENT_KEY)
    file = gpt.files.create(file=("batch.jsonl", io.BytesIO(order())), purpose="batch")
    make = {"input_file_id": file.id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    with Sent() as sent:
        try:
            spent.batches.create(**make)
        except openai.APIStatusError as error:
            assert error.status_code == 402 and "limit" in str(error), error
        else:
            raise AssertionError("the call went through")
    assert not any(request["method"] == "POST" for request in sent.requests), sent.requests
    params = {"model": CLAUDE, "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}
    spent = Anthropic(base_url=route("anthropic"), api_key=SPENT_KEY)
    requests = [{"custom_id": "a", "params": params}]
    refused(lambda: spent.messages.batches.create(requests=requests), anthropic.PaymentRequiredError, 402, "limit")


finish()
