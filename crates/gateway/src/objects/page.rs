//! Pages of objects: what is not the caller's is cut out.
//!
//! A client takes a page without elements for the last one. Where all of a page was others', the
//! next ones are asked for on the client's behalf until one holds something or there is no more.

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
    endpoint::{Endpoint, encode_query_value},
    objects::{List, Made, made_in_list},
};

/// How many pages are asked for at most.
const PAGES_MAX: usize = 64;

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
    let mut body = first;
    for _ in 0..PAGES_MAX {
        let list = List::read(&body).ok_or_else(no_page)?;
        let own = own(exchange, &list).await?;
        let goes_on = list
            .goes_on_after()
            .filter(|_| !list.shows_any(|id| own.contains(id)));
        let Some(after) = goes_on else {
            return Ok(cut(exchange, &body, &list, &own));
        };
        body = next(exchange, asked, attempt, after).await?;
    }
    let list = List::read(&body).ok_or_else(no_page)?;
    let own = own(exchange, &list).await?;
    Ok(cut(exchange, &body, &list, &own))
}

fn cut(exchange: &Exchange, body: &Bytes, list: &List, own: &HashSet<String>) -> Page {
    let edits = list.keep(body, |id| own.contains(id));
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
    after: &str,
) -> Result<Bytes, Error> {
    let endpoint = Endpoint {
        query: going_on(asked.inbound.endpoint, after),
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

/// The query of the page behind this id: the client's own, with the cursor moved.
fn going_on(endpoint: &Endpoint, after: &str) -> String {
    let name = match endpoint.format.dialect() {
        Dialect::Anthropic => "after_id",
        Dialect::OpenAi | Dialect::Google | Dialect::Bedrock | Dialect::Ollama => "after",
    };
    let kept = endpoint.query.split('&').filter(|pair| {
        let own = pair.split_once('=').map_or(*pair, |(own, _)| own);
        !pair.is_empty() && own != name
    });
    let mut pairs: Vec<String> = kept.map(ToOwned::to_owned).collect();
    pairs.push(format!("{name}={}", encode_query_value(after)));
    pairs.join("&")
}

fn no_page() -> Error {
    Error::new(
        Kind::UpstreamBroken,
        "the provider's list cannot be read, so what is not this project's cannot be left out",
    )
}
