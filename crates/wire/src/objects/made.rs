//! Which objects an answer names that from then on belong to who asked.

use crate::{json, json::Text};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::{
    format::{Format, Operation},
    object::{OBJECT_ID_MAX, ObjectKind},
};

/// An object that an answer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What it is.
    pub kind: ObjectKind,
    /// Its id.
    pub id: String,
}

impl Made {
    fn of(kind: ObjectKind, id: Option<&Text<'_>>) -> Option<Self> {
        let Text(id) = id?;
        let fits = !id.is_empty() && id.len() <= OBJECT_ID_MAX && !id.contains(char::is_control);
        fits.then(|| Self {
            kind,
            id: id.to_string(),
        })
    }
}

/// The objects that a whole answer names: what it made, and what the work it tells of
/// has left.
pub fn made(format: Format, operation: Operation, body: &[u8]) -> Vec<Made> {
    match (format, operation) {
        (Format::OpenAiFiles | Format::AnthropicFiles, Operation::CreateObject) => {
            named(body, ObjectKind::File).into_iter().collect()
        }
        (Format::AnthropicBatches, Operation::Defer) => {
            named(body, ObjectKind::Batch).into_iter().collect()
        }
        (Format::OpenAiBatches, Operation::Defer) => {
            let files = files_of_batch(body);
            named(body, ObjectKind::Batch)
                .into_iter()
                .chain(files)
                .collect()
        }
        (Format::OpenAiBatches, Operation::ReadObject | Operation::ChangeObject) => {
            files_of_batch(body).collect()
        }
        (
            Format::OpenAiResponses,
            Operation::Generate | Operation::ReadObject | Operation::ChangeObject,
        ) => of_response(body),
        (Format::AnthropicMessages, Operation::Generate) => of_message(body).into_iter().collect(),
        (Format::GeminiInteractions, Operation::Generate) => {
            of_interaction(body).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
}

fn named(body: &[u8], kind: ObjectKind) -> Option<Made> {
    Made::of(kind, json::parse::<Named<'_>>(body)?.id.as_ref())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BatchFiles<'a> {
    #[serde(borrow)]
    output_file_id: Option<Text<'a>>,
    #[serde(borrow)]
    error_file_id: Option<Text<'a>>,
}

/// The objects that a page names beside its elements: the files that its batches have left.
pub fn made_in_list(format: Format, body: &[u8]) -> Vec<Made> {
    let batches = match (format, json::member(body, "data")) {
        (Format::OpenAiBatches, Some(data)) => json::parse(data.get().as_bytes()),
        _ => None,
    };
    let batches: Vec<&RawValue> = batches.unwrap_or_default();
    let files = batches
        .iter()
        .flat_map(|batch| files_of_batch(batch.get().as_bytes()));
    files.collect()
}

/// The files that a batch has left.
fn files_of_batch(batch: &[u8]) -> impl Iterator<Item = Made> + use<> {
    let files = json::parse::<BatchFiles<'_>>(batch).unwrap_or_default();
    let file = |id: Option<Text<'_>>| Made::of(ObjectKind::File, id.as_ref());
    [file(files.output_file_id), file(files.error_file_id)]
        .into_iter()
        .flatten()
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    store: Option<bool>,
    #[serde(borrow)]
    conversation: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct OutputItem<'a> {
    #[serde(default, borrow)]
    id: Option<Text<'a>>,
    #[serde(default, borrow)]
    container_id: Option<Text<'a>>,
}

/// What a response names: itself and its items, unless it is not kept, its conversation, the
/// containers that its code ran in.
pub(crate) fn of_response(response: &[u8]) -> Vec<Made> {
    let Some(response) = json::parse::<Response<'_>>(response) else {
        return Vec::new();
    };
    let mut made = Vec::new();
    let is_kept = response.store != Some(false);
    if is_kept {
        made.extend(Made::of(ObjectKind::Response, response.id.as_ref()));
    }
    if let Some(conversation) = response.conversation {
        made.extend(named(
            conversation.get().as_bytes(),
            ObjectKind::Conversation,
        ));
    }
    let items = response.output.map_or("[]", RawValue::get);
    for item in json::parse::<Vec<OutputItem<'_>>>(items.as_bytes()).unwrap_or_default() {
        let container = Made::of(ObjectKind::Container, item.container_id.as_ref());
        made.extend(container.filter(|container| !made.contains(container)));
        let item = Made::of(ObjectKind::Item, item.id.as_ref());
        made.extend(item.filter(|item| is_kept && !made.contains(item)));
    }
    made
}

/// What the last event of a response over a WebSocket names.
pub fn made_in_frame(format: Format, frame: &[u8]) -> Vec<Made> {
    let response = match format {
        Format::OpenAiResponsesSocket => json::member(frame, "response"),
        _ => None,
    };
    response.map_or_else(Vec::new, |response| of_response(response.get().as_bytes()))
}

/// The interaction that an answer, or an event of a stream, tells of.
pub(crate) fn of_interaction(interaction: &[u8]) -> Option<Made> {
    named(interaction, ObjectKind::Interaction)
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default, borrow)]
    container: Option<&'a RawValue>,
}

/// The container that a message (or the `delta` of one) tells of.
pub(crate) fn of_message(message: &[u8]) -> Option<Made> {
    // Few have one, and all would be read once more.
    memchr::memmem::find(message, b"\"container\"")?;
    let container = json::parse::<Message<'_>>(message)?.container?;
    named(container.get().as_bytes(), ObjectKind::Container)
}
