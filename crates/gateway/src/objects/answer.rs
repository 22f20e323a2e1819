//! What an answer makes: objects that are their project's from then on, work whose bill comes
//! later; and what of an answer about objects a client may see.

use super::{
    cache::Home,
    deferred::work_of,
    locate::Located,
    page,
    settlement::{learn, look},
};
use crate::{
    attempt::{Accepted, Start, broken, joined},
    exchange::{Deferral, Exchange},
    settings::MEASURED_ANSWER_MAX,
    upstream::{AnswerBody, Inbound},
};
use bytes::Bytes;
use http::header;
use http_body::Body;
use http_body_util::BodyExt;
use std::{collections::VecDeque, sync::Arc};
use tokio::time::Instant;
use tollgate_core::{
    error::{Error, Kind},
    format::{Format, Operation},
    object::{ObjectKind, StoredObject},
    provider::Provider,
};
use tollgate_wire::{
    edit,
    endpoint::encode_query_value,
    objects::{BatchWork, FileScan, Made, Outcome, Shows, made, outcome, results_urls},
};

/// What was asked, and what is known of the objects in it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) inbound: Inbound<'r>,
    pub(crate) located: &'r Located,
    /// Where the client reaches the route: scheme, host, `/proxy/{route}`.
    pub(crate) here: &'r str,
}

/// Before a request goes out that ends an object: work that it stands for is settled now, for
/// nobody will tell of it afterwards. Work that still runs stays at its estimate: what it will have
/// used is told by no one once its object is gone.
pub(crate) async fn before_delete(exchange: &Exchange, asked: Asked<'_>) {
    let Inbound { endpoint, .. } = asked.inbound;
    if let (true, Operation::DeleteObject, Some(id)) = (
        asked.located.open_work,
        endpoint.operation,
        &endpoint.object,
    ) {
        let gateway = &exchange.gateway;
        let project = exchange.record.ids.project;
        if let Ok(Some(work)) = gateway.parts.store.open_work_of(project, id).await {
            look(gateway, &work).await;
        }
    }
}

/// Takes what an accepted answer makes, and makes of it what the client may see.
///
/// # Errors
/// [`Kind::UpstreamBroken`] for an answer about objects that cannot be read, [`Kind::Unavailable`]
/// when what was made cannot be written down.
pub(crate) async fn answer(
    exchange: &mut Exchange,
    asked: Asked<'_>,
    accepted: &mut Accepted,
) -> Result<(), Error> {
    exchange.served_by = Some(accepted.attempt.provider.id);
    if !accepted.answer.status.is_success() {
        return Ok(());
    }
    let body = match Shows::of(asked.inbound.endpoint) {
        // A stream tells what it makes while it runs.
        _ if matches!(accepted.start, Start::Stream(_)) => return Ok(()),
        Some(Shows::Content) => return Ok(()),
        None if exchange.deferral == Deferral::No => return Ok(()),
        Some(Shows::List) => {
            let first = whole(exchange, accepted).await?;
            let attempt = accepted.attempt.clone();
            let page = page::page(exchange, asked, &attempt, first).await?;
            keep(exchange, objects_of(exchange, page.made)).await?;
            back_to_us(exchange, asked, page.body)
        }
        Some(Shows::Object) | None => {
            let body = whole(exchange, accepted).await?;
            take(exchange, asked, &body).await?;
            back_to_us(exchange, asked, body)
        }
    };
    accepted.start = Start::Whole {
        pieces: [body].into(),
        ended: true,
    };
    Ok(())
}

/// The whole of an answer that is looked at as a whole.
async fn whole(exchange: &Exchange, accepted: &mut Accepted) -> Result<Bytes, Error> {
    let Start::Whole { pieces, ended } = &mut accepted.start else {
        return Ok(Bytes::new());
    };
    if !std::mem::replace(ended, true) {
        let provider = &accepted.attempt.provider;
        read_on(exchange, provider, &mut accepted.answer.body, pieces).await?;
    }
    Ok(joined(pieces))
}

/// Reads on to the end of an answer.
///
/// # Errors
/// [`Kind::UpstreamBroken`] when it breaks off, falls silent or does not end.
pub(super) async fn read_on(
    exchange: &Exchange,
    provider: &Provider,
    body: &mut AnswerBody,
    pieces: &mut VecDeque<Bytes>,
) -> Result<(), Error> {
    let idle = exchange.idle_timeout(provider);
    let mut read: usize = pieces.iter().map(Bytes::len).sum();
    while !body.is_end_stream() {
        let silence = exchange.deadline().min(Instant::now() + idle);
        match tokio::time::timeout_at(silence, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap_or_default();
                read = read.saturating_add(data.len());
                pieces.push_back(data);
            }
            Ok(Some(Err(error))) => return Err(broken(error.to_string())),
            Err(_silent) => return Err(broken("it fell silent")),
        }
        if read > MEASURED_ANSWER_MAX {
            return Err(broken("it is too large to be read as a whole"));
        }
    }
    Ok(())
}

/// Writes down what the answer made and deleted, and learns from it how deferred work stands.
async fn take(exchange: &mut Exchange, asked: Asked<'_>, body: &Bytes) -> Result<(), Error> {
    let Inbound { endpoint, .. } = asked.inbound;
    let made = made(endpoint.format, endpoint.operation, body);
    let mut objects = objects_of(exchange, made);
    if exchange.deferral == Deferral::Asked
        && let Some(object) = objects.iter().find(|object| is_work(object)).cloned()
    {
        keep_work(exchange, &object).await?;
        objects.retain(|other| *other != object);
    }
    if let (Operation::CreateObject, Some(file)) = (endpoint.operation, objects.first_mut()) {
        let work = work_in(asked.inbound);
        file.facts = work.and_then(|work| serde_json::to_string(&work).ok());
    }
    keep(exchange, objects).await?;
    let Some(id) = endpoint.object.as_deref() else {
        return Ok(());
    };
    let gateway = &exchange.gateway;
    let project = exchange.record.ids.project;
    match endpoint.operation {
        Operation::DeleteObject => {
            if let Some(provider) = exchange.served_by {
                let forgotten = gateway
                    .parts
                    .store
                    .forget_object(project, provider, id)
                    .await;
                gateway.objects.forget(project, id);
                forgotten.map_err(|error| not_kept(&error))?;
            }
        }
        _ if asked.located.open_work => told(exchange, id, body).await,
        _ => {}
    }
    Ok(())
}

/// The answer tells of work whose bill is not known: perhaps it does now.
async fn told(exchange: &Exchange, id: &str, body: &[u8]) {
    let Outcome::Ended(bill) = outcome(exchange.format(), body) else {
        return;
    };
    let gateway = Arc::clone(&exchange.gateway);
    let project = exchange.record.ids.project;
    match gateway.parts.store.open_work_of(project, id).await {
        Ok(Some(work)) => {
            let learns = Arc::clone(&gateway);
            gateway.spawn(async move { learn(&learns, &work, bill).await });
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "deferred work could not be looked up"),
    }
}

fn is_work(object: &StoredObject) -> bool {
    matches!(object.kind, ObjectKind::Batch | ObjectKind::Response)
}

/// What the file asks for that was uploaded, if it holds batch requests.
fn work_in(inbound: Inbound<'_>) -> Option<BatchWork> {
    if inbound.endpoint.format != Format::OpenAiFiles {
        return None;
    }
    if let Some(rest) = inbound.rest {
        return rest.work();
    }
    let content_type = inbound.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let mut scan = FileScan::new(content_type)?;
    scan.feed(inbound.body);
    scan.finish()
}

/// Anthropic's batches tell where their results are by an absolute URL, which clients follow with
/// the key they have for us.
fn back_to_us(exchange: &Exchange, asked: Asked<'_>, body: Bytes) -> Bytes {
    if exchange.format() != Format::AnthropicBatches {
        return body;
    }
    let here = asked.here;
    let edits = results_urls(&body, |id| {
        format!(
            "{here}/v1/messages/batches/{}/results",
            encode_query_value(id)
        )
    });
    if edits.is_empty() {
        return body;
    }
    edit::apply(&body, edits).concat().into()
}

/// The objects as they are written down, without those that are known.
fn objects_of(exchange: &Exchange, made: Vec<Made>) -> Vec<StoredObject> {
    let Some(provider) = exchange.served_by else {
        return Vec::new();
    };
    let maker = exchange.record.ids;
    let known = &exchange.gateway.objects;
    made.into_iter()
        .filter(|made| !known.has(maker.project, &made.id, provider))
        .map(|Made { kind, id }| StoredObject {
            id,
            kind,
            provider,
            maker,
            request: exchange.request_id(),
            made_at: exchange.gateway.now(),
            facts: None,
        })
        .collect()
}

fn remember(exchange: &Exchange, object: &StoredObject, open_work: bool) {
    let home = Home {
        provider: object.provider,
        open_work,
    };
    let project = object.maker.project;
    exchange.gateway.objects.add(project, &object.id, home);
}

async fn keep(exchange: &Exchange, objects: Vec<StoredObject>) -> Result<(), Error> {
    if objects.is_empty() {
        return Ok(());
    }
    let kept = exchange.gateway.parts.store.keep_objects(&objects).await;
    kept.map_err(|error| not_kept(&error))?;
    for object in &objects {
        remember(exchange, object, false);
    }
    Ok(())
}

async fn keep_work(exchange: &mut Exchange, object: &StoredObject) -> Result<(), Error> {
    let work = work_of(exchange, object);
    let kept = exchange
        .gateway
        .parts
        .store
        .keep_deferred(object, &work)
        .await;
    kept.map_err(|error| not_kept(&error))?;
    remember(exchange, object, true);
    exchange.deferral = Deferral::Kept;
    Ok(())
}

fn not_kept(error: &tollgate_store::StoreError) -> Error {
    Error::new(
        Kind::Unavailable,
        "the provider has done what was asked, but the gateway could not write it down",
    )
    .with_context(error.to_string())
}

/// Takes what an answer to a generation names, while it passes: it is usable at once, and committed
/// with the request's record. `made` may repeat what was taken before.
pub(crate) fn note(exchange: &mut Exchange, made: &[Made]) {
    let new = made.get(exchange.noted..).unwrap_or_default();
    if new.is_empty() {
        return;
    }
    exchange.noted = made.len();
    for object in objects_of(exchange, new.to_vec()) {
        let defers = exchange.deferral == Deferral::Asked && is_work(&object);
        remember(exchange, &object, defers);
        if defers {
            exchange.deferral = Deferral::Kept;
            let work = work_of(exchange, &object);
            let gateway = Arc::clone(&exchange.gateway);
            let object = object.clone();
            let kept = async move { gateway.parts.store.keep_deferred(&object, &work).await };
            exchange.gateway.spawn(async move {
                if let Err(error) = kept.await {
                    tracing::error!(%error, "deferred work could not be written down");
                }
            });
        }
        exchange.made.push(object);
    }
}

/// The same for an answer that is read whole.
pub(crate) fn note_body(exchange: &mut Exchange, body: &[u8]) {
    let names_objects = match exchange.format() {
        Format::OpenAiResponses | Format::AnthropicMessages | Format::GeminiInteractions => {
            exchange.record.operation == Operation::Generate
        }
        _ => false,
    };
    if names_objects && exchange.made.is_empty() && exchange.deferral != Deferral::Kept {
        let made = made(exchange.format(), exchange.record.operation, body);
        note(exchange, &made);
    }
}
