//! Objects that live at a provider: whose each is, who may name it, where requests about it go.
//!
//! A provider shows all it has to whoever has its key, which is us. So what is made through this
//! gateway belongs to the project that had it made ([`locate`]): to all others it does not exist,
//! in answers ([`answer`]) as in requests, and pages of objects are cut ([`page`]). A request that
//! names objects goes where they live and nowhere else.
//!
//! What was made is usable at once: it is in the [`Cache`] before the answer goes out, and in the
//! store before that too where the request was to make it; the ids of responses, of which there
//! are as many as requests, are committed with the request's record.
//!
//! Work that is billed after its answer is an object too: [`deferred`].

mod answer;
mod cache;
mod deferred;
mod locate;
mod page;
mod settlement;

pub(crate) use answer::{Asked, answer, before_delete, note, note_body};
pub(crate) use cache::Cache;
pub(crate) use deferred::{plan, terms_of_batch};
pub(crate) use locate::{Located, in_one_place, locate};
pub(crate) use settlement::look_at_due;
