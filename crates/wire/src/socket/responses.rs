//! OpenAI's responses over a WebSocket: the bodies and events of `/responses`, frame by frame, with
//! a `stream_id` as lane. A steered response ends, and the server goes on with a successor that no
//! frame asked for.

use super::{Conversation, FromClient, FromServer, length};
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
}

impl Frame<'_> {
    fn kind(&self) -> &str {
        self.kind.as_ref().map_or("", |Text(kind)| kind)
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
        if head.kind() != "response.create" {
            return Ok(FromClient::Pass);
        }
        let mut facts = openai::responses_facts(frame)?;
        facts.stream = true;
        if head.generate == Some(false) {
            facts.output_cap = Some(0);
        }
        Ok(FromClient::Asks {
            lane: head.lane(),
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
            "error" => FromServer::Refuses { lane },
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
