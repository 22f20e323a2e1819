//! Gemini Live. The first frame sets the conversation up and names its model; turns begin when the
//! server starts to speak, and end when it says so. The usage stands in a frame of its own or
//! beside the end, under names that differ from `generateContent`'s. Frames may be binary.

use super::{Conversation, FromClient, FromServer, Input, Named, length, sound_as_text};
use crate::{
    error::google_socket_body,
    gemini,
    json::{self, Count, Text},
    measure::{Measure, Read, Rules},
};
use serde::{
    Deserialize,
    de::{DeserializeSeed, IgnoredAny},
};
use serde_json::value::RawValue;
use tollgate_core::{
    error::{Error, Kind},
    usage::UsageReport,
};

/// There is one turn at a time, on one lane.
const ONLY: &str = "";

#[derive(Default)]
pub(super) struct Live {
    is_set_up: bool,
    in_turn: bool,
    /// The turn is over; its usage has not come yet.
    waits_for_usage: bool,
    report: Option<UsageReport>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClientFrame<'a> {
    #[serde(borrow)]
    setup: Option<&'a RawValue>,
    #[serde(borrow, alias = "client_content")]
    client_content: Option<&'a RawValue>,
    #[serde(borrow, alias = "realtime_input")]
    realtime_input: Option<&'a RawValue>,
    #[serde(borrow, alias = "tool_response")]
    tool_response: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Setup<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(alias = "generation_config")]
    generation_config: Option<Generation>,
    #[serde(borrow, alias = "session_resumption")]
    session_resumption: Option<Resumption<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resumption<'a> {
    #[serde(borrow)]
    handle: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Generation {
    #[serde(alias = "max_output_tokens")]
    max_output_tokens: Count,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServerFrame<'a> {
    #[serde(borrow)]
    server_content: Option<ServerContent<'a>>,
    #[serde(borrow)]
    tool_call: Option<&'a RawValue>,
    #[serde(borrow)]
    usage_metadata: Option<&'a RawValue>,
    error: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServerContent<'a> {
    #[serde(borrow)]
    model_turn: Option<ModelTurn<'a>>,
    turn_complete: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ModelTurn<'a> {
    #[serde(borrow)]
    parts: Option<Vec<Part<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    inline_data: Option<Inline<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inline<'a> {
    #[serde(borrow)]
    data: Option<Text<'a>>,
}

impl Conversation for Live {
    fn client(&mut self, frame: &[u8]) -> Result<FromClient, Error> {
        let Some(head) = json::parse::<ClientFrame<'_>>(frame) else {
            return Err(Error::new(
                Kind::BadRequest,
                "a frame is not a JSON object: send messages as JSON",
            ));
        };
        if let Some(setup) = head.setup {
            if std::mem::replace(&mut self.is_set_up, true) {
                let text = "a conversation is set up once: open another one for another model";
                return Err(Error::new(Kind::BadRequest, text));
            }
            let beside = [head.client_content, head.realtime_input, head.tool_response];
            if beside.iter().any(Option::is_some) {
                let text = "`setup` stands alone in its frame: send the rest in the next one";
                return Err(Error::new(Kind::BadRequest, text));
            }
            return named(frame, setup).map(FromClient::Names);
        }
        let added = [head.client_content, head.realtime_input, head.tool_response];
        let mut measure = Measure::default();
        for raw in added.into_iter().flatten() {
            walk(&mut measure, raw);
        }
        Ok(match input(&measure) {
            nothing if nothing == Input::default() => FromClient::Pass,
            input => FromClient::Adds {
                input,
                other_model: None,
            },
        })
    }

    fn server(&mut self, frame: &[u8]) -> FromServer {
        let Some(head) = json::parse::<ServerFrame<'_>>(frame) else {
            return FromServer::Pass;
        };
        if let Some(metadata) = head.usage_metadata {
            let report = gemini::live_usage(metadata.get());
            self.report = Some(report);
        }
        let content = head.server_content.unwrap_or_default();
        if content.turn_complete || self.waits_for_usage && self.in_turn {
            return self.ended();
        }
        if head.error.is_some() {
            return FromServer::Refuses {
                lane: Some(ONLY.to_owned()),
                event: None,
            };
        }
        let said = content.model_turn.map_or(0, |turn| turn.bytes());
        let called = head.tool_call.map_or(0, |raw| length(raw.get()));
        match said.saturating_add(called) {
            0 => FromServer::Pass,
            _ if !std::mem::replace(&mut self.in_turn, true) => FromServer::Begins {
                lane: ONLY.to_owned(),
                turn: ONLY.to_owned(),
            },
            bytes => FromServer::Says {
                turn: ONLY.to_owned(),
                bytes,
            },
        }
    }

    fn error_frame(&self, error: &Error, _: &str) -> Vec<u8> {
        google_socket_body(error)
    }
}

impl Live {
    /// A turn is over once its usage is known.
    fn ended(&mut self) -> FromServer {
        self.waits_for_usage = self.report.is_none();
        let Some(report) = self.report.take() else {
            return FromServer::Pass;
        };
        self.in_turn = false;
        FromServer::Ends {
            turn: ONLY.to_owned(),
            report: Box::new(report),
        }
    }
}

impl ModelTurn<'_> {
    fn bytes(&self) -> u64 {
        let parts = self.parts.iter().flatten();
        parts.fold(0, |sum, part| {
            let text = part.text.as_ref().map_or(0, |Text(text)| length(text));
            let data = part.inline_data.as_ref();
            let data = data.and_then(|inline| inline.data.as_ref());
            let sound = data.map_or(0, |Text(data)| sound_as_text(data.len()));
            sum.saturating_add(text).saturating_add(sound)
        })
    }
}

/// The set-up, with all of the model's place: whose project and location it is, is not the client's
/// to say.
fn named(frame: &[u8], raw: &RawValue) -> Result<Named, Error> {
    let unreadable = || Error::new(Kind::BadRequest, "`setup` cannot be read: name its `model`");
    let setup: Setup<'_> = serde_json::from_str(raw.get()).map_err(|_| unreadable())?;
    let resumption = setup.session_resumption.and_then(|found| found.handle);
    if resumption.is_some_and(|Text(handle)| !handle.is_empty()) {
        // Whose it was nobody knows: it would show one caller what another has said.
        let text = "a conversation cannot be resumed here: open a new one, without `handle`";
        return Err(Error::new(Kind::BadRequest, text));
    }
    let place = setup
        .model
        .ok_or_else(|| json::no_model("put it into `setup.model`"))?;
    let Text(full) = serde_json::from_str(place.get()).map_err(|_| unreadable())?;
    let model = full.rsplit('/').next().unwrap_or_default().to_owned();
    let span = json::span(frame, place).ok_or_else(unreadable)?;
    if model.is_empty() {
        return Err(json::no_model("put it into `setup.model`"));
    }
    let mut measure = Measure::default();
    walk(&mut measure, raw);
    Ok(Named {
        model,
        span: span.start.saturating_add(1)..span.end.saturating_sub(1),
        input: input(&measure),
        output_cap: setup
            .generation_config
            .and_then(|config| config.max_output_tokens.0),
    })
}

fn input(measure: &Measure) -> Input {
    Input {
        text_bytes: measure.text_bytes,
        media_tokens: measure.media_tokens,
    }
}

fn walk(measure: &mut Measure, raw: &RawValue) {
    let mut json = serde_json::Deserializer::from_str(raw.get());
    // It is JSON already: there is nothing left to fail.
    let _ = measure.walk(Read::Inside(Content)).deserialize(&mut json);
}

#[derive(Clone, Copy)]
struct Content;

impl Rules for Content {
    fn read(self, key: &str) -> Read<Self> {
        match key {
            "data" => Read::Media(self),
            "mimeType" | "mime_type" | "model" | "role" | "id" => Read::Skip,
            _ => Read::Inside(self),
        }
    }
}
