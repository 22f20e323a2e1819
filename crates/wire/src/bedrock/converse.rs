//! `Converse` and `ConverseStream`.

mod answer;
mod request;
mod stream;

pub(crate) use answer::usage;
pub(crate) use request::facts;
pub(crate) use stream::reader;
