//! The straight line: nine steps, in order. Each is a file of its name; nothing else decides what
//! happens to a request.

use crate::{
    attempt,
    exchange::{Exchange, Opening, Pricing},
    identify, inspect, models, receive,
    receive::Address,
    relay,
    relay::ResponseBody,
    reserve, respond, select,
    select::{Attempt, Wanted},
    state::{Gateway, View},
    upstream::Inbound,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body::Body;
use std::{fmt::Display, sync::Arc};
use tokio::time::Instant;
use tollgate_core::{
    clock::Timestamp,
    error::{Error, Kind},
    format::{Dialect, Operation},
    id::RequestId,
    principal::Principal,
    provider::{ProviderKind, UnpricedPolicy},
    record::RecordFlags,
};
use tollgate_wire::{endpoint::Endpoint, error::CallerTraits, facts::RequestFacts};

/// A request on its way, before it is known what it costs.
struct Arrival {
    id: RequestId,
    at: Timestamp,
    started: Instant,
    caller: CallerTraits,
    view: Arc<View>,
}

/// A refusal before an exchange was open.
type Refused = (Error, Dialect);

/// Answers one request, whatever it is.
pub(crate) async fn serve<B>(
    gateway: Arc<Gateway>,
    mut request: Request<B>,
) -> Response<ResponseBody>
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Display,
{
    let at = gateway.now();
    let arrival = Arrival {
        id: RequestId::new(at, &*gateway.parts.entropy),
        at,
        started: Instant::now(),
        caller: respond::traits(request.headers()),
        view: Arc::clone(&gateway.view()),
    };
    match dispatch(&gateway, &arrival, &mut request).await {
        Ok(response) => response,
        Err((error, dialect)) => {
            if error.kind() != Kind::RequestTimeout {
                receive::read_away(request);
            }
            gateway.parts.request_log.refused(arrival.id, &error);
            respond::refusal(&error, dialect, arrival.id, arrival.caller)
        }
    }
}

async fn dispatch<B>(
    gateway: &Arc<Gateway>,
    arrival: &Arrival,
    request: &mut Request<B>,
) -> Result<Response<ResponseBody>, Refused>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    match request.uri().path() {
        "/healthz" => return Ok(plain(StatusCode::OK, "ok\n")),
        "/readyz" if gateway.is_draining() => {
            return Ok(plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n"));
        }
        "/readyz" => return Ok(plain(StatusCode::OK, "ready\n")),
        _ => {}
    }
    let uri = request.uri().clone();
    match receive::address(uri.path()) {
        None => Err((receive::nothing_here(uri.path()), Dialect::OpenAi)),
        Some(Address::AllModels) => {
            let principal = who(gateway, request, arrival).map_err(|e| (e, Dialect::OpenAi))?;
            models::every_route(&arrival.view, &principal, arrival.id)
                .map_err(|error| (error, Dialect::OpenAi))
        }
        Some(Address::Route { route, rest }) => {
            on_route(gateway, arrival, request, (route, rest)).await
        }
    }
}

async fn on_route<B>(
    gateway: &Arc<Gateway>,
    arrival: &Arrival,
    request: &mut Request<B>,
    (route, rest): (&str, &str),
) -> Result<Response<ResponseBody>, Refused>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    // 1 receive
    let endpoint = receive::endpoint(request.method(), rest, request.uri().query())
        .map_err(|error| (error, receive::dialect_of(rest)))?;
    let dialect = endpoint.format.dialect();
    if gateway.is_draining() {
        let error = Error::new(Kind::Unavailable, "the gateway is stopping: try again");
        return Err((error, dialect));
    }

    // 2 identify
    let principal = who(gateway, request, arrival).map_err(|error| (error, dialect))?;
    if endpoint.operation == Operation::ListModels {
        let asked = models::Asked {
            route,
            endpoint: &endpoint,
            headers: request.headers(),
        };
        return models::of_route(&arrival.view, &principal, asked, arrival.id)
            .map_err(|error| (error, dialect));
    }
    let body = receive::body(request, gateway.settings())
        .await
        .map_err(|error| (error, dialect))?;
    let (method, headers) = (
        request.method().clone(),
        std::mem::take(request.headers_mut()),
    );

    // 3 inspect
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let facts =
        inspect::inspect(&endpoint, content_type, &body).map_err(|error| (error, dialect))?;

    let exchange = Exchange::open(
        gateway,
        &principal,
        &Opening {
            request: arrival.id,
            received_at: arrival.at,
            started: arrival.started,
            route,
            endpoint: &endpoint,
            facts: &facts,
            caller: arrival.caller,
            view: &arrival.view,
        },
    );
    let sent = Sent {
        method,
        headers,
        body,
        endpoint,
        facts,
    };
    match run(exchange, &sent, route).await {
        Ok(response) => Ok(response),
        Err((error, mut exchange)) => {
            exchange.failed(&error);
            exchange.close();
            Ok(respond::refusal(
                &error,
                dialect,
                arrival.id,
                arrival.caller,
            ))
        }
    }
}

/// What the client sent.
struct Sent {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
    endpoint: Endpoint,
    facts: RequestFacts,
}

/// Steps 4 to 7; steps 8 and 9 happen when the exchange is closed.
async fn run(
    mut exchange: Exchange,
    sent: &Sent,
    route: &str,
) -> Result<Response<ResponseBody>, (Error, Box<Exchange>)> {
    // 4 select
    let attempt = match select_step(&mut exchange, sent, route).await {
        Ok(attempt) => attempt,
        Err(error) => return Err((error, Box::new(exchange))),
    };

    // 5 reserve
    if sent.endpoint.operation.is_billed() {
        match reserve::reserve(&exchange, &sent.facts, &attempt).await {
            Ok(reservation) => exchange.reservation = Some(reservation),
            Err(error) => return Err((error, Box::new(exchange))),
        }
    }

    // 6 attempt
    let inbound = Inbound {
        method: &sent.method,
        endpoint: &sent.endpoint,
        headers: &sent.headers,
        facts: &sent.facts,
        body: &sent.body,
    };
    let answer = match attempt::attempt(&mut exchange, inbound, &attempt).await {
        Ok(answer) => answer,
        Err(error) => return Err((error, Box::new(exchange))),
    };

    // 7 relay
    // 8 settle and 9 record: when the exchange is closed, by its destructor if by nobody else
    relay::relay(exchange, inbound, &attempt, answer).await
}

/// Chooses the attempt and its price.
async fn select_step(exchange: &mut Exchange, sent: &Sent, route: &str) -> Result<Attempt, Error> {
    let gateway = Arc::clone(&exchange.gateway);
    let attempt = first_attempt(exchange, sent, route)?;
    if attempt.provider.kind == ProviderKind::Simulated {
        exchange.record.flags.add(RecordFlags::SIMULATED);
    }
    if sent.endpoint.operation.is_billed() {
        let pricing = price(&exchange.view, &attempt)?;
        if pricing.model.is_none() {
            unpriced(&gateway, exchange, &attempt).await?;
            exchange.record.flags.add(RecordFlags::UNPRICED);
        }
        exchange.pricing = Some(pricing);
    }
    Ok(attempt)
}

fn first_attempt(exchange: &Exchange, sent: &Sent, route: &str) -> Result<Attempt, Error> {
    let principal = &exchange.principal;
    let org = exchange.view.organization(principal.ids.organization)?;
    let wanted = Wanted {
        route,
        format: sent.endpoint.format,
        model: &sent.facts.model,
        other_models: &sent.facts.other_models,
    };
    let plan = select::plan(org, principal, wanted, &mut |below| {
        draw(&exchange.gateway, below)
    })?;
    plan.into_iter()
        .next()
        .ok_or_else(|| Error::new(Kind::UnknownRoute, "the route is empty"))
}

/// A number below `below`, drawn evenly enough for sharing load.
fn draw(gateway: &Gateway, below: u32) -> u32 {
    let mut bytes = [0; 4];
    gateway.parts.entropy.fill(&mut bytes);
    u32::from_le_bytes(bytes).checked_rem(below).unwrap_or(0)
}

fn price(view: &View, attempt: &Attempt) -> Result<Pricing, Error> {
    let slug = &attempt.provider.slug;
    let prices = view
        .prices
        .get(&attempt.provider.id)
        .cloned()
        .ok_or_else(|| {
            Error::new(
                Kind::Unavailable,
                format!(
                    "the provider `{slug}` is misconfigured: tell the operator of this gateway"
                ),
            )
            .with_context(format!("provider `{slug}` has unusable prices"))
        })?;
    let model = prices.find(&attempt.model);
    Ok(Pricing {
        prices,
        model,
        sent_model: attempt.model.clone(),
    })
}

/// What the provider's policy says of a model without a price.
async fn unpriced(gateway: &Gateway, exchange: &Exchange, attempt: &Attempt) -> Result<(), Error> {
    let refusal = || {
        Error::new(
            Kind::Unpriced,
            format!(
                "Unable to calculate spend: the model `{}` has no price at the provider `{}`; use another model, or ask an admin to add a price",
                attempt.model, attempt.provider.slug
            ),
        )
    };
    match attempt.provider.unpriced {
        UnpricedPolicy::Allow => Ok(()),
        UnpricedPolicy::Refuse => Err(refusal()),
        UnpricedPolicy::BlockKey => {
            if let Some(key) = exchange.principal.ids.api_key
                && let Err(error) = gateway.parts.store.block_api_key(key).await
            {
                tracing::error!(%error, %key, "an API key could not be blocked");
            }
            Err(refusal())
        }
    }
}

fn who<B>(
    gateway: &Gateway,
    request: &Request<B>,
    arrival: &Arrival,
) -> Result<Arc<Principal>, Error> {
    identify::identify(
        request.headers(),
        request.uri().query(),
        &arrival.view.snapshot,
        &gateway.hasher,
        arrival.at,
    )
}

fn plain(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}
