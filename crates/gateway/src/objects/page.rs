//! Pages of objects: what is not the caller's is cut out.
//!
//! A client takes a page without elements for the last one. Where all of a page was others', the
//! next ones are asked for on the client's behalf until one holds something, there is no more, or
//! [`FURTHER_MAX`] were asked for. How large those are is ours to say: a client that asks for one
//! object at a time must not make of one request as many as there are objects of others.

use super::answer::{Asked, read_on};
use crate::{
    attempt::joined,
    exchange::Exchange,
    select::Attempt,
    upstream::{self, Answer, Inbound},
};
use bytes::Bytes;
use std::collections::{HashSet, VecDeque};
use tollgate_core::{
    error::{Error, Kind},
    format::Dialect,
};
use tollgate_wire::{
    edit,
    endpoint::{Endpoint, encode_query_value, query_values, query_without},
    objects::{List, Made, made_in_list},
};

/// How many further pages are asked for at most.
const FURTHER_MAX: usize = 16;

/// How many objects a further page is asked to have: what the strictest of the APIs allow.
const FURTHER_LIMIT: usize = 100;

/// What tells where a list goes on, or how long a page is.
const PLACES: [&str; 5] = ["after", "before", "after_id", "before_id", "limit"];

/// A page that shows only what is the caller's.
pub(super) struct Page {
    pub(super) body: Bytes,
    /// What its batches have left.
    pub(super) made: Vec<Made>,
}

/// Cuts the page that the upstream answered, or the first behind it that shows anything.
///
/// # Errors
/// [`Kind::UpstreamBroken`] for what is no page: it cannot be cut, so it cannot be shown.
pub(super) async fn page(
    exchange: &Exchange,
    asked: Asked<'_>,
    attempt: &Attempt,
    first: Bytes,
) -> Result<Page, Error> {
    let turning = Turning::of(asked.inbound.endpoint);
    let mut body = first;
    let mut further = 0;
    loop {
        let list = List::read(&body).ok_or_else(no_page)?;
        let own = own(exchange, &list).await?;
        let goes_on = list
            .goes_on_at(turning.backwards)
            .filter(|_| further < FURTHER_MAX && !list.shows_any(|id| own.contains(id)));
        let Some(at) = goes_on else {
            return Ok(cut(exchange, &body, &list, &turning.shown(&list, own)));
        };
        body = next(exchange, asked, attempt, &turning.query(at)).await?;
        further += 1;
    }
}

fn cut(exchange: &Exchange, body: &Bytes, list: &List, shown: &Shown) -> Page {
    let mut edits = list.keep(body, |id| shown.ids.contains(id));
    edits.extend(list.say_more().filter(|_| shown.are_some));
    let body = Bytes::from(edit::apply(body, edits).concat());
    Page {
        made: made_in_list(exchange.format(), &body),
        body,
    }
}

/// The ids on a page that are the caller's, where this provider has them.
async fn own(exchange: &Exchange, list: &List) -> Result<HashSet<String>, Error> {
    let ids: Vec<&str> = list.ids().filter(|id| !id.is_empty()).collect();
    let gateway = &exchange.gateway;
    let project = exchange.record.ids.project;
    let homes = gateway
        .objects
        .homes(&gateway.parts.store, project, &ids)
        .await?;
    let here = ids.iter().zip(&homes).filter(|(_, homes)| {
        homes
            .iter()
            .any(|home| Some(home.provider) == exchange.served_by)
    });
    Ok(here.map(|(id, _)| (*id).to_owned()).collect())
}

async fn next(
    exchange: &Exchange,
    asked: Asked<'_>,
    attempt: &Attempt,
    query: &str,
) -> Result<Bytes, Error> {
    let endpoint = Endpoint {
        query: query.to_owned(),
        ..asked.inbound.endpoint.clone()
    };
    let inbound = Inbound {
        endpoint: &endpoint,
        ..asked.inbound
    };
    let prepared = upstream::build(inbound, attempt)?;
    let client = exchange.gateway.client.clone();
    let sent = Box::pin(client.send(&attempt.provider, prepared.request));
    let mut answer: Answer = sent.await.map_err(|failure| failure.error)?;
    if !answer.status.is_success() {
        return Err(no_page().with_context(format!("a further page: {}", answer.status)));
    }
    let mut pieces = VecDeque::new();
    read_on(exchange, &attempt.provider, &mut answer.body, &mut pieces).await?;
    Ok(joined(&pieces))
}

/// How a client turns its pages.
struct Turning<'r> {
    endpoint: &'r Endpoint,
    backwards: bool,
    /// How many objects it wants on a page, when it says so.
    limit: Option<usize>,
}

/// What is shown of a page.
struct Shown {
    ids: HashSet<String>,
    /// There are more that the client may see, on a page that was longer than it asked for.
    are_some: bool,
}

impl<'r> Turning<'r> {
    fn of(endpoint: &'r Endpoint) -> Self {
        let value = |name| query_values(&endpoint.query, name).next();
        Self {
            endpoint,
            backwards: value("before").or_else(|| value("before_id")).is_some(),
            limit: value("limit").and_then(|limit| limit.parse().ok()),
        }
    }

    /// The query of the page that goes on at this id: the client's own without any of its places.
    fn query(&self, at: &str) -> String {
        let name = match (self.endpoint.format.dialect(), self.backwards) {
            (Dialect::Anthropic, false) => "after_id",
            (Dialect::Anthropic, true) => "before_id",
            (Dialect::OpenAi | Dialect::Google | Dialect::Bedrock | Dialect::Ollama, false) => {
                "after"
            }
            (Dialect::OpenAi | Dialect::Google | Dialect::Bedrock | Dialect::Ollama, true) => {
                "before"
            }
        };
        let kept = query_without(&self.endpoint.query, &PLACES);
        let sign = if kept.is_empty() { "" } else { "&" };
        let at = encode_query_value(at);
        format!("{kept}{sign}limit={FURTHER_LIMIT}&{name}={at}")
    }

    /// Of what is the client's own, as many as it asked for, from where it goes on.
    fn shown(&self, list: &List, own: HashSet<String>) -> Shown {
        let most = self.limit.filter(|limit| (1..own.len()).contains(limit));
        let Some(most) = most else {
            return Shown {
                ids: own,
                are_some: false,
            };
        };
        let mut ids: Vec<&str> = list.ids().filter(|id| own.contains(*id)).collect();
        if self.backwards {
            ids.reverse();
        }
        let ids = ids.into_iter().take(most).map(ToOwned::to_owned);
        Shown {
            ids: ids.collect(),
            are_some: true,
        }
    }
}

fn no_page() -> Error {
    Error::new(
        Kind::UpstreamBroken,
        "the provider's list cannot be read, so what is not this project's cannot be left out",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method};

    fn endpoint(path: &str, query: &str) -> Endpoint {
        Endpoint::of(&Method::GET, path, Some(query), &HeaderMap::new()).unwrap()
    }

    #[test]
    fn a_further_page_goes_on_at_one_place_and_is_as_long_as_we_say() {
        for (path, query, expected) in [
            ("/v1/files", "", "limit=100&after=x%26y"),
            (
                "/v1/files",
                "limit=1&purpose=a&after=b&%61fter=c&limit=2",
                "purpose=a&limit=100&after=x%26y",
            ),
            ("/v1/files", "before=b&after=c", "limit=100&before=x%26y"),
            (
                "/v1/messages/batches",
                "limit=1&after_id=b",
                "limit=100&after_id=x%26y",
            ),
            (
                "/v1/messages/batches",
                "before_id=b&limit=1",
                "limit=100&before_id=x%26y",
            ),
        ] {
            let endpoint = endpoint(path, query);
            assert_eq!(Turning::of(&endpoint).query("x&y"), expected, "{query}");
        }
    }

    #[test]
    fn a_client_sees_as_many_as_it_asked_for() {
        let page = br#"{"data":[{"id":"a"},{"id":"b"},{"id":"c"}],"has_more":false}"#;
        let list = List::read(page).unwrap();
        let own: HashSet<String> = ["a", "b", "c"].map(ToOwned::to_owned).into();
        for (query, expected, more) in [
            ("", &["a", "b", "c"][..], false),
            ("limit=3", &["a", "b", "c"], false),
            ("limit=0", &["a", "b", "c"], false),
            ("limit=2", &["a", "b"], true),
            ("limit=2&before=d", &["b", "c"], true),
        ] {
            let endpoint = endpoint("/v1/files", query);
            let shown = Turning::of(&endpoint).shown(&list, own.clone());
            let expected = expected.iter().map(|id| (*id).to_owned()).collect();
            assert_eq!((shown.ids, shown.are_some), (expected, more), "{query}");
        }
    }
}
