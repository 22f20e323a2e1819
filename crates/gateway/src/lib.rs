//! The data plane: a request on a socket goes through nine named steps, each a file, in the order
//! of [`pipeline`]. See `docs/life-of-a-request.md`.

mod attempt;
mod exchange;
mod headers;
mod health;
mod identify;
mod inspect;
mod models;
mod objects;
mod pipeline;
mod receive;
mod record;
mod relay;
mod reserve;
mod respond;
mod select;
mod settle;
mod socket;

pub mod books;
pub mod listener;
pub mod probe;
pub mod request_log;
pub mod settings;
pub mod state;
pub mod tasks;
pub mod upstream;
