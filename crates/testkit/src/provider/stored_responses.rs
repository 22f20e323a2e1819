//! `/responses/{id}`: what `POST /responses` made, unless it was told not to store it. Work in the
//! background is done by the first look at it; the creation carries the bill.

use super::{
    ask::Ask,
    openai_responses,
    shelf::{Shelf, list},
};
use crate::{answer::Answer, upstream::Received};
use serde_json::{Value, json};

/// Whether the conversation that a request goes on with is known here.
pub(super) fn knows_previous(shelf: &Shelf, ask: &Ask) -> bool {
    let previous = ask.body.get("previous_response_id").and_then(Value::as_str);
    previous.is_none_or(|id| shelf.responses.contains_key(id))
}

/// Keeps what a request is answered with.
pub(super) fn keep(shelf: &mut Shelf, ask: &Ask) {
    if ask.body.get("store") != Some(&json!(false)) {
        let id = openai_responses::id(ask);
        shelf.responses.insert(id, openai_responses::whole(ask));
    }
}

/// Read, what was said, cancel, delete.
pub(super) fn answer(shelf: &mut Shelf, request: &Received) -> Option<Answer> {
    let (_, below) = request.path().rsplit_once("/responses/")?;
    let (id, rest) = below.split_once('/').unwrap_or((below, ""));
    match (request.method.as_str(), rest) {
        ("GET", "") | ("POST", "cancel") => Some(Answer::json(200, shelf.responses.get(id)?)),
        ("GET", "input_items") => {
            shelf.responses.get(id)?;
            let part = json!({ "type": "input_text", "text": "what was asked" });
            let item =
                json!({ "id": "msg_0", "type": "message", "role": "user", "content": [part] });
            Some(Answer::json(200, &list(&[item])))
        }
        ("DELETE", "") => {
            shelf.responses.remove(id)?;
            let told = json!({ "id": id, "object": "response", "deleted": true });
            Some(Answer::json(200, &told))
        }
        _ => None,
    }
}
