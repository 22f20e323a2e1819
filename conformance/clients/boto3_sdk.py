"""AWS's own SDK: Converse, InvokeModel and both streams, by a bearer key as Bedrock's API keys go.

Without the gateway it signs, and the provider computes the signature again.
"""

import json
import os
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from checks import (
    DIRECT,
    KEY,
    SPENT_KEY,
    STRANGER,
    WORDS,
    Sent,
    check,
    finish,
    gateway_check,
    heard,
    is_incremental,
    price_of,
    raises,
    refused,
    route,
    same_cost,
)
from providers import AWS, BEDROCK_SONNET, REGION

NOVA = "amazon.nova-lite-v1:0"
BROKEN_MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": SCHEMA}}}]}


def connect(key: str, name: str = "bedrock", **more):
    # Read when the client is made, and no later.
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = key
    signing = {}
    if DIRECT:
        del os.environ["AWS_BEARER_TOKEN_BEDROCK"]
        signing = {"aws_access_key_id": AWS["access_key_id"], "aws_secret_access_key": AWS["secret_access_key"]}
    return boto3.client("bedrock-runtime", region_name=REGION, endpoint_url=route(name), **signing, **more)


client = connect(KEY)


def ask(text: str, model: str = BEDROCK_SONNET, **more) -> dict:
    return {"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}], **more}


def native(text: str, model: str = BEDROCK_SONNET, **more) -> dict:
    messages = [{"role": "user", "content": text}]
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1000, "messages": messages, **more}
    return {"modelId": model, "body": json.dumps(body)}


def header(answer: dict, name: str) -> str | None:
    return answer["ResponseMetadata"]["HTTPHeaders"].get(name)


@check("converse: a whole answer, its usage and its cost")
def _():
    with Sent() as sent:
        answer = client.converse(**ask("hello [cached]"))
    request = sent.only()
    assert answer["output"]["message"]["content"][0]["text"] == heard(request)
    usage = answer["usage"]
    assert usage["inputTokens"] + usage["cacheReadInputTokens"] == request["input_tokens"]
    assert (usage["cacheReadInputTokens"], usage["outputTokens"]) == (
        request["cached_tokens"],
        request["output_tokens"],
    )
    cost = price_of("aws", BEDROCK_SONNET, request)
    same_cost(header(answer, "tollgate-cost"), cost)
    same_cost(header(answer, "logfire-ai-gateway-cost"), cost)


@check("converse: the id of a model may come encoded or not")
def _():
    with Sent() as sent:
        client.converse(**ask("hello"))
    assert BEDROCK_SONNET.replace(":", "%3A") in sent.only()["target"]


@check("converse_stream: piece by piece, with usage at its end")
def _():
    arrivals, text, last = [], "", {}
    with Sent() as sent:
        for event in client.converse_stream(**ask("[words=10] [pace=30]"))["stream"]:
            if delta := event.get("contentBlockDelta"):
                arrivals.append(time.monotonic())
                text += delta["delta"]["text"]
            last = event
    assert text == WORDS
    usage = last["metadata"]["usage"]
    assert (usage["inputTokens"], usage["outputTokens"]) == (sent.only()["input_tokens"], 10)
    is_incremental(arrivals)


@check("converse: tools are called, whole and streamed, and their answers are sent back")
def _():
    answer = client.converse(**ask("[tool] weather?", toolConfig=TOOLS))
    call = answer["output"]["message"]["content"][0]["toolUse"]
    assert (answer["stopReason"], call["name"], call["input"]) == ("tool_use", "weather", {"city": "Paris"})
    pieces = ""
    for event in client.converse_stream(**ask("[tool] weather?", toolConfig=TOOLS))["stream"]:
        delta = event.get("contentBlockDelta", {}).get("delta", {})
        pieces += delta.get("toolUse", {}).get("input", "")
    assert json.loads(pieces) == {"city": "Paris"}
    result = {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "sunny"}]}}
    messages = [
        *ask("[tool] weather?")["messages"],
        answer["output"]["message"],
        {"role": "user", "content": [result]},
    ]
    answer = client.converse(modelId=BEDROCK_SONNET, messages=messages, toolConfig=TOOLS)
    assert answer["output"]["message"]["content"][0]["text"] == "The tool said: sunny"


@check("invoke_model: the maker's own answer, and its cost")
def _():
    with Sent() as sent:
        answer = client.invoke_model(**native("hello [cached]"))
    request = sent.only()
    body = json.loads(answer["body"].read())
    assert body["content"][0]["text"] == heard(request)
    assert body["usage"]["output_tokens"] == request["output_tokens"]
    same_cost(header(answer, "tollgate-cost"), price_of("aws", BEDROCK_SONNET, request))


@check("invoke_model: a profile's own price, though the answer names the bare model")
def _():
    profile = BEDROCK_SONNET.replace("us.", "global.")
    with Sent() as sent:
        answer = client.invoke_model(**native("hello", profile))
    cost = price_of("aws", profile, sent.only())
    assert cost < price_of("aws", BEDROCK_SONNET, sent.only())
    same_cost(header(answer, "tollgate-cost"), cost)


@check("invoke_model_with_response_stream: the maker's events, piece by piece")
def _():
    arrivals, text, last = [], "", {}
    for event in client.invoke_model_with_response_stream(**native("[words=10] [pace=30]"))["body"]:
        last = json.loads(event["chunk"]["bytes"])
        if last["type"] == "content_block_delta":
            arrivals.append(time.monotonic())
            text += last["delta"]["text"]
    assert text == WORDS
    assert last["amazon-bedrock-invocationMetrics"]["outputTokenCount"] == 10
    is_incremental(arrivals)


@check("invoke_model: a model of Amazon's")
def _():
    body = {"messages": [{"role": "user", "content": [{"text": "[words=3]"}]}], "inferenceConfig": {"maxTokens": 50}}
    with Sent() as sent:
        answer = client.invoke_model(modelId=NOVA, body=json.dumps(body))
    assert json.loads(answer["body"].read())["usage"]["outputTokens"] == 3
    same_cost(header(answer, "tollgate-cost"), price_of("aws", NOVA, sent.only()))
    last = {}
    for event in client.invoke_model_with_response_stream(modelId=NOVA, body=json.dumps(body))["body"]:
        last = json.loads(event["chunk"]["bytes"])
    assert last["amazon-bedrock-invocationMetrics"]["outputTokenCount"] == 3


@check("errors of the provider keep their class and their text")
def _():
    for call in (
        lambda: client.converse(**ask("[fail=400]")),
        lambda: client.converse_stream(**ask("[fail=400]")),
        lambda: client.invoke_model(**native("[fail=400]")),
    ):
        raises(call, client.exceptions.ValidationException, 400, "the prompt asked for this failure")
    once = connect(KEY, config=Config(retries={"total_max_attempts": 1}))
    raises(lambda: once.converse(**ask("[fail=429]")), once.exceptions.ThrottlingException, 429)


@check("an exception in mid-stream raises")
def _():
    seen = 0
    try:
        for event in client.converse_stream(**ask("[words=20] [error=5]", BROKEN_MODEL))["stream"]:
            seen += "contentBlockDelta" in event
    except EventStreamError as error:
        assert seen == 5
        assert "modelStreamErrorException" in str(error)
    else:
        raise AssertionError("a broken stream ended as if it were whole")


@gateway_check("a bad key: one attempt, and nothing goes upstream")
def _():
    stranger = connect(STRANGER)
    for call in (lambda: stranger.converse(**ask("hello")), lambda: stranger.invoke_model(**native("hello"))):
        refused(call, ClientError, 401, "UnrecognizedClientException")


@gateway_check("a spent limit: one attempt, our text, and nothing goes upstream")
def _():
    spent = connect(SPENT_KEY)
    for call in (
        lambda: spent.converse(**ask("hello")),
        lambda: spent.converse_stream(**ask("hello")),
        lambda: spent.invoke_model(**native("hello")),
        lambda: spent.invoke_model_with_response_stream(**native("hello")),
    ):
        refused(call, ClientError, 402, "ServiceQuotaExceededException")
        refused(call, ClientError, 402, "limit")


@gateway_check("an unpriced model: a ValidationException that says so, and nothing goes upstream")
def _():
    unpriced = ask("hello", "nobody.no-such-model-v1:0")
    refused(lambda: client.converse(**unpriced), client.exceptions.ValidationException, 400, "calculate spend")


@gateway_check("providers whose credential is a bearer key of Bedrock's, or what AWS's chain finds")
def _():
    for name in ("bedrock-key", "bedrock-chain"):
        with Sent() as sent:
            answer = connect(KEY, name).converse(**ask("hello"))
        assert answer["output"]["message"]["content"][0]["text"] == heard(sent.only())


finish()
