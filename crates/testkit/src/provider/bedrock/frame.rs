//! AWS's event stream, written plainly from its description: total length, length of the headers,
//! CRC-32 of those eight bytes, headers, payload, CRC-32 of everything before it; big-endian.

use serde_json::{Value, json};

/// Type of a header whose value is a string.
const STRING: u8 = 7;
const AROUND: usize = 16;

/// The frame of an event: an object whose only key is its type. Types that end in `Exception` are
/// exceptions.
pub(crate) fn of_event(event: &Value) -> Vec<u8> {
    let named = event.as_object().and_then(|fields| fields.iter().next());
    let (name, payload) = named.expect("an event has a type");
    if name.ends_with("Exception") {
        let headers = [
            (":exception-type", name.as_str()),
            (":message-type", "exception"),
        ];
        return write(&headers, &payload.to_string());
    }
    let mut payload = payload.clone();
    // Real padding is as long as chance says; this one follows from the payload.
    let length = payload.to_string().len() % 26;
    let padding: String = ('a'..='z').take(length + 1).collect();
    if let Some(fields) = payload.as_object_mut() {
        fields.insert("p".to_owned(), json!(padding));
    }
    let headers = [(":event-type", name.as_str()), (":message-type", "event")];
    write(&headers, &payload.to_string())
}

fn write(named: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in named.iter().chain(&[(":content-type", "application/json")]) {
        headers.push(u8::try_from(name.len()).expect("names are short"));
        headers.extend_from_slice(name.as_bytes());
        headers.push(STRING);
        let length = u16::try_from(value.len()).expect("values are short");
        headers.extend_from_slice(&length.to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let length = |bytes: usize| {
        u32::try_from(bytes)
            .expect("frames are small")
            .to_be_bytes()
    };
    let mut frame = Vec::new();
    frame.extend_from_slice(&length(AROUND + headers.len() + payload.len()));
    frame.extend_from_slice(&length(headers.len()));
    let prelude = crc32fast::hash(&frame);
    frame.extend_from_slice(&prelude.to_be_bytes());
    frame.extend_from_slice(&headers);
    frame.extend_from_slice(payload.as_bytes());
    let message = crc32fast::hash(&frame);
    frame.extend_from_slice(&message.to_be_bytes());
    frame
}
