"""The official OpenAI SDK beyond text: images, speech, transcriptions, moderations."""

import io

import openai
from checks import KEY, SPENT_KEY, Sent, check, finish, gateway_check, price, refused, route, same_cost
from openai import OpenAI

IMAGE_MODEL = "gpt-image-1"
SPEECH_MODEL = "gpt-4o-mini-tts"
HEARING_MODEL = "gpt-4o-transcribe"
# The provider counts a second for every 16,000 bytes.
RECORDING = b"\x00" * 48_000

client = OpenAI(base_url=route("openai") + "/v1", api_key=KEY)


def recording() -> tuple[str, io.BytesIO]:
    return ("a.wav", io.BytesIO(RECORDING))


@check("images: generated, and their cost")
def _():
    raw = client.images.with_raw_response.generate(model=IMAGE_MODEL, prompt="a cat", n=2)
    answer = raw.parse()
    usage = answer.usage
    assert (len(answer.data), usage.output_tokens) == (2, 200)
    cost = price("openai", IMAGE_MODEL, usage.input_tokens, 200, output_image_tokens=200)
    same_cost(raw.headers.get("tollgate-cost"), cost)


@check("images: a stream ends with usage")
def _():
    last = None
    for last in client.images.generate(model=IMAGE_MODEL, prompt="a cat", stream=True, partial_images=1):
        pass
    assert (last.type, last.usage.output_tokens) == ("image_generation.completed", 100)


@check("images: an edit is a form, and reaches the provider as it was sent")
def _():
    with Sent() as sent:
        answer = client.images.edit(model=IMAGE_MODEL, prompt="a hat", image=("cat.png", b"\x89PNG not a picture"))
    assert answer.usage.output_tokens == 100
    body = sent.only()["body"]
    assert 'name="prompt"\r\n\r\na hat' in body and "PNG not a picture" in body


@check("speech: sound, and events that end with usage")
def _():
    sound = client.audio.speech.create(model=SPEECH_MODEL, voice="alloy", input="hello")
    assert len(sound.read()) == 6000
    with client.audio.speech.with_streaming_response.create(
        model=SPEECH_MODEL, voice="alloy", input="hello", stream_format="sse"
    ) as answer:
        assert "speech.audio.done" in "".join(answer.iter_text())


@check("transcriptions: by tokens, whole and streamed, and their cost")
def _():
    raw = client.audio.transcriptions.with_raw_response.create(model=HEARING_MODEL, file=recording())
    answer = raw.parse()
    assert (answer.usage.type, answer.usage.input_tokens) == ("tokens", 30)
    output = answer.usage.output_tokens
    same_cost(raw.headers.get("tollgate-cost"), price("openai", HEARING_MODEL, 30, output, input_audio_tokens=30))
    events = list(client.audio.transcriptions.create(model=HEARING_MODEL, file=recording(), stream=True))
    assert events[-1].usage.input_tokens == 30


@check("transcriptions: by seconds, and their cost")
def _():
    raw = client.audio.transcriptions.with_raw_response.create(model="whisper-1", file=recording())
    assert raw.parse().usage.seconds == 3
    same_cost(raw.headers.get("tollgate-cost"), price("openai", "whisper-1", 0, 0, audio_seconds=3))


@check("moderations are free")
def _():
    with Sent() as sent:
        answer = client.moderations.create(model="omni-moderation-latest", input="hello")
    assert not answer.results[0].flagged
    assert sent.only()["input_tokens"] == 0


@gateway_check("a spent limit: one attempt, our text, and nothing goes upstream")
def _():
    spent = OpenAI(base_url=route("openai") + "/v1", api_key=SPENT_KEY)
    for call in (
        lambda: spent.images.generate(model=IMAGE_MODEL, prompt="a cat"),
        lambda: spent.audio.speech.create(model=SPEECH_MODEL, voice="alloy", input="hello"),
        lambda: spent.audio.transcriptions.create(model=HEARING_MODEL, file=recording()),
    ):
        refused(call, openai.APIStatusError, 402, "limit")


finish()
