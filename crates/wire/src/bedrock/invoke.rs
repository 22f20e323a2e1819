//! `InvokeModel` and `InvokeModelWithResponseStream`: each maker's own bodies and events.

mod answer;
mod request;
mod stream;

pub(crate) use answer::{usage, usage_of_head};
pub(crate) use request::facts;
pub(super) use stream::native_event;
pub(crate) use stream::reader;
