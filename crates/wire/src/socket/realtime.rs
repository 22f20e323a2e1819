//! OpenAI's realtime API. The model is in the URL; turns are `response`s, which the server also
//! begins by itself when it hears that somebody has stopped speaking. What it heard is transcribed
//! by another model, and billed beside the turns.

use super::{
    BAD_KEY, Conversation, FromClient, FromServer, Input, length, sound_as_text, sound_tokens,
};
use crate::{
    error::socket_body,
    facts::RequestFacts,
    json::{self, Count, Text},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::{
    error::{Error, Kind},
    unit::Unit,
    usage::{ExtraUsage, Usage, UsageReport},
};

pub(super) struct Realtime {
    /// As the client asked for it.
    asked: String,
    /// As the server names it.
    model: Option<String>,
    /// The model that writes down what was heard, as the session names it.
    transcriber: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    audio: Option<Text<'a>>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    session: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    response_id: Option<Text<'a>>,
    #[serde(borrow)]
    delta: Option<Text<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    event_id: Option<Text<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Of an error, which of the client's frames it is about.
#[derive(Default, Deserialize)]
#[serde(default)]
struct About<'a> {
    #[serde(borrow)]
    event_id: Option<Text<'a>>,
}

impl Frame<'_> {
    fn kind(&self) -> &str {
        self.kind.as_ref().map_or("", |Text(kind)| kind)
    }
}

/// A session, in today's shape and in the older one.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Session<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
    #[serde(borrow)]
    audio: Option<Audio<'a>>,
    #[serde(borrow)]
    input_audio_transcription: Option<Transcription<'a>>,
}

impl Session<'_> {
    fn transcriber(self) -> Option<String> {
        let input = self.audio.and_then(|audio| audio.input);
        let transcription = input
            .and_then(|input| input.transcription)
            .or(self.input_audio_transcription);
        let Text(model) = transcription?.model?;
        Some(model.into_owned())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Audio<'a> {
    #[serde(borrow)]
    input: Option<AudioInput<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AudioInput<'a> {
    #[serde(borrow)]
    transcription: Option<Transcription<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Transcription<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
}

/// What a `response.create` may bound; a number, or the word `inf`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked<'a> {
    #[serde(borrow)]
    max_output_tokens: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Response<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    usage: Option<TurnUsage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TurnUsage {
    input_tokens: Count,
    output_tokens: Count,
    input_token_details: Option<Details>,
    output_token_details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    text_tokens: Count,
    audio_tokens: Count,
    image_tokens: Count,
    cached_tokens: Count,
    #[serde(rename = "cached_tokens_details")]
    cached: Option<Cached>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cached {
    #[serde(rename = "text_tokens")]
    text: Count,
    #[serde(rename = "audio_tokens")]
    audio: Count,
    #[serde(rename = "image_tokens")]
    image: Count,
}

impl TurnUsage {
    fn usage(&self) -> Option<Usage> {
        let mut usage = Usage::NONE;
        let mut set = |unit, count: Count| usage.set(unit, count.0.unwrap_or(0));
        self.input_tokens.0?;
        set(Unit::InputTokens, self.input_tokens);
        set(Unit::OutputTokens, self.output_tokens);
        if let Some(input) = &self.input_token_details {
            set(Unit::InputTextTokens, input.text_tokens);
            set(Unit::InputAudioTokens, input.audio_tokens);
            set(Unit::InputImageTokens, input.image_tokens);
            set(Unit::CacheReadTokens, input.cached_tokens);
            if let Some(cached) = &input.cached {
                set(Unit::CacheTextReadTokens, cached.text);
                set(Unit::CacheAudioReadTokens, cached.audio);
                set(Unit::CacheImageReadTokens, cached.image);
            }
        }
        if let Some(output) = &self.output_token_details {
            set(Unit::OutputTextTokens, output.text_tokens);
            set(Unit::OutputAudioTokens, output.audio_tokens);
        }
        Some(usage)
    }
}

/// The usage of a transcription: tokens, or seconds of sound.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Heard<'a> {
    #[serde(borrow)]
    seconds: Option<&'a RawValue>,
    input_tokens: Count,
    output_tokens: Count,
    input_token_details: Option<Details>,
}

impl Conversation for Realtime {
    fn client(&mut self, frame: &[u8]) -> Result<FromClient, Error> {
        let Some(head) = json::parse::<Frame<'_>>(frame) else {
            return Err(Error::new(
                Kind::BadRequest,
                "a frame is not a JSON object: send events as JSON",
            ));
        };
        Ok(match head.kind() {
            "response.create" => {
                let asked = head.response.and_then(parse::<Asked<'_>>);
                let cap = asked.and_then(|asked| asked.max_output_tokens);
                FromClient::Asks {
                    lane: String::new(),
                    event: head.event_id.map(|Text(id)| id.into_owned()),
                    facts: Box::new(RequestFacts {
                        stream: true,
                        choices: 1,
                        output_cap: cap.and_then(|cap| cap.get().parse().ok()),
                        text_bytes: head.response.map_or(0, |raw| length(raw.get())),
                        ..RequestFacts::default()
                    }),
                }
            }
            "input_audio_buffer.append" => FromClient::Adds {
                input: Input {
                    media_tokens: head
                        .audio
                        .map_or(0, |Text(audio)| sound_tokens(audio.len())),
                    ..Input::default()
                },
                other_model: None,
            },
            "conversation.item.create" => added(head.item, None),
            "session.update" => added(head.session, self.asked_of(head.session)?),
            _ => FromClient::Pass,
        })
    }

    fn server(&mut self, frame: &[u8]) -> FromServer {
        let Some(head) = json::parse::<Frame<'_>>(frame) else {
            return FromServer::Pass;
        };
        match head.kind() {
            "session.created" | "session.updated" => {
                self.note(head.session);
                FromServer::Pass
            }
            "response.created" => FromServer::Begins {
                lane: String::new(),
                turn: id_of(head.response),
            },
            "response.done" => FromServer::Ends {
                turn: id_of(head.response),
                report: Box::new(self.report(head.response)),
            },
            "conversation.item.input_audio_transcription.completed" => {
                match head.usage.and_then(parse::<Heard<'_>>) {
                    Some(heard) => FromServer::Bills(Box::new(self.heard(&heard))),
                    None => FromServer::Pass,
                }
            }
            "error"
                if head
                    .error
                    .is_some_and(|error| error.get().contains(BAD_KEY)) =>
            {
                FromServer::Rejects
            }
            "error" => {
                let about = head.error.and_then(parse::<About<'_>>);
                let event = about.and_then(|about| about.event_id);
                FromServer::Refuses {
                    lane: Some(String::new()),
                    event: event.map(|Text(id)| id.into_owned()),
                }
            }
            kind if kind.starts_with("response.") && kind.strip_suffix(".delta").is_some() => {
                let is_sound =
                    kind == "response.output_audio.delta" || kind == "response.audio.delta";
                let said = head.delta.map_or(0, |Text(delta)| {
                    if is_sound {
                        sound_as_text(delta.len())
                    } else {
                        length(&delta)
                    }
                });
                let turn = head.response_id;
                FromServer::Says {
                    turn: turn.map_or_else(String::new, |Text(id)| id.into_owned()),
                    bytes: said,
                }
            }
            _ => FromServer::Pass,
        }
    }

    fn error_frame(&self, error: &Error, _: &str) -> Vec<u8> {
        socket_body(error, None)
    }
}

/// Text of this length for the turns to come.
fn added(text: Option<&RawValue>, other_model: Option<String>) -> FromClient {
    FromClient::Adds {
        input: Input {
            text_bytes: text.map_or(0, |raw| length(raw.get())),
            ..Input::default()
        },
        other_model,
    }
}

impl Realtime {
    pub(super) fn new(model: &str) -> Self {
        Self {
            asked: model.to_owned(),
            model: None,
            transcriber: None,
        }
    }

    /// The model that a client's session wants to be heard by. What the conversation runs on only
    /// the server says: a client that could name it would choose its price.
    fn asked_of(&self, session: Option<&RawValue>) -> Result<Option<String>, Error> {
        let session = session.and_then(parse::<Session<'_>>).unwrap_or_default();
        if let Some(Text(model)) = &session.model
            && *model != self.asked
            && self.model.as_deref() != Some(&**model)
        {
            return Err(Error::new(
                Kind::BadRequest,
                "the model of a conversation cannot be changed: open another one",
            ));
        }
        Ok(session.transcriber())
    }

    fn note(&mut self, session: Option<&RawValue>) {
        let Some(session) = session.and_then(parse::<Session<'_>>) else {
            return;
        };
        if let Some(Text(model)) = &session.model {
            self.model = Some(model.to_string());
        }
        self.transcriber = session.transcriber().or(self.transcriber.take());
    }

    fn report(&self, response: Option<&RawValue>) -> UsageReport {
        let response = response.and_then(parse::<Response<'_>>);
        let usage = response
            .and_then(|response| response.usage)
            .and_then(|usage| usage.usage());
        UsageReport {
            model: self.model.clone(),
            complete: usage.is_some(),
            usage,
            ..UsageReport::default()
        }
    }

    /// Seconds are billed whole ones up.
    fn heard(&self, heard: &Heard<'_>) -> ExtraUsage {
        let mut usage = Usage::NONE;
        if let Some(seconds) = heard.seconds {
            usage.set(Unit::InputAudioSeconds, whole_seconds(seconds.get()));
        }
        usage.set(Unit::InputTokens, heard.input_tokens.0.unwrap_or(0));
        usage.set(Unit::OutputTokens, heard.output_tokens.0.unwrap_or(0));
        if let Some(details) = &heard.input_token_details {
            let sound = details.audio_tokens.0.unwrap_or(0);
            usage.set(Unit::InputAudioTokens, sound);
            let text = details.text_tokens.0.unwrap_or(0);
            usage.set(Unit::InputTextTokens, text);
        }
        ExtraUsage {
            model: self.transcriber.clone(),
            usage,
        }
    }
}

/// A decimal number, rounded up.
fn whole_seconds(number: &str) -> u64 {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let more = part.bytes().any(|digit| digit != b'0');
    whole
        .parse::<u64>()
        .unwrap_or(0)
        .saturating_add(u64::from(more))
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn id_of(response: Option<&RawValue>) -> String {
    let response = response.and_then(parse::<Response<'_>>);
    let id = response.and_then(|response| response.id);
    id.map_or_else(String::new, |Text(id)| id.into_owned())
}
