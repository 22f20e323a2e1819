//! OpenAI's responses over a WebSocket: the bodies and events of `/responses`, frame by frame, with
//! a `stream_id` as lane. A steered response ends, and the server goes on with a successor that no
//! frame asked for.

use super::{BAD_KEY, Conversation, FromClient, FromServer, Input, length};
use crate::{
    error::socket_body,
    json::{self, Text},
    openai,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::error::{Error, Kind};

pub(super) struct Responses;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    stream_id: Option<Text<'a>>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    generate: Option<bool>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl Frame<'_> {
    fn kind(&self) -> &str {
        self.kind.as_ref().map_or("", |Text(kind)| kind)
    }

    fn is_about_the_key(&self) -> bool {
        self.error
            .is_some_and(|error| error.get().contains(BAD_KEY))
    }

    fn lane(&self) -> String {
        let lane = self.stream_id.as_ref();
        lane.map_or_else(String::new, |Text(lane)| lane.to_string())
    }
}

impl Conversation for Responses {
    fn client(&mut self, frame: &[u8]) -> Result<FromClient, Error> {
        let Some(head) = json::parse::<Frame<'_>>(frame) else {
            return Err(Error::new(
                Kind::BadRequest,
                "a frame is not a JSON object: send `response.create` as JSON",
            ));
        };
        match head.kind() {
            "response.create" => {}
            "response.steer" => {
                // What steers a turn is read by its successor.
                return Ok(FromClient::Adds {
                    input: Input {
                        text_bytes: length(std::str::from_utf8(frame).unwrap_or_default()),
                        ..Input::default()
                    },
                    other_model: None,
                });
            }
            "response.cancel" => return Ok(FromClient::Pass),
            other => {
                return Err(Error::new(
                    Kind::BadRequest,
                    format!(
                        "`{}` is no frame that this gateway knows: it could not say what it costs",
                        other.chars().take(64).collect::<String>()
                    ),
                ));
            }
        }
        let mut facts = openai::responses_facts(frame)?;
        facts.stream = true;
        if head.generate == Some(false) {
            facts.output_cap = Some(0);
        }
        Ok(FromClient::Asks {
            lane: head.lane(),
            event: None,
            facts: Box::new(facts),
        })
    }

    fn server(&mut self, frame: &[u8]) -> FromServer {
        let Some(head) = json::parse::<Frame<'_>>(frame) else {
            return FromServer::Pass;
        };
        let lane = head.lane();
        match head.kind() {
            "response.created" => FromServer::Begins {
                turn: lane.clone(),
                lane,
            },
            "response.completed" | "response.incomplete" | "response.failed" => {
                let response = head.response.map_or("{}", RawValue::get);
                FromServer::Ends {
                    turn: lane,
                    report: Box::new(openai::responses_usage(response.as_bytes())),
                }
            }
            "error" if head.is_about_the_key() => FromServer::Rejects,
            "error" => FromServer::Refuses {
                lane: head.stream_id.map(|Text(lane)| lane.into_owned()),
                event: None,
            },
            kind if kind.strip_suffix(".delta").is_some() => FromServer::Says {
                turn: lane,
                bytes: head.delta.map_or(0, |delta| length(delta.get())),
            },
            _ => FromServer::Pass,
        }
    }

    fn error_frame(&self, error: &Error, lane: &str) -> Vec<u8> {
        socket_body(error, Some(lane).filter(|lane| !lane.is_empty()))
    }
}
