//! The straight line: nine steps, in order. Each is a file of its name; nothing else decides what
//! happens to a request.

use crate::{
    attempt::{self, Accepted},
    exchange::{Exchange, Opening},
    identify, inspect, models, objects, receive,
    receive::{Address, ClientBody, Received},
    relay,
    relay::ResponseBody,
    reserve, respond, select,
    select::{Chance, NoPlan, Plan, Wanted},
    socket,
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
    format::{Dialect, Format, Operation},
    id::RequestId,
    principal::Principal,
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
pub(crate) async fn serve<B>(gateway: Arc<Gateway>, request: Request<B>) -> Response<ResponseBody>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Display,
{
    let mut request = request.map(ClientBody::new);
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

async fn dispatch(
    gateway: &Arc<Gateway>,
    arrival: &Arrival,
    request: &mut Request<ClientBody>,
) -> Result<Response<ResponseBody>, Refused> {
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

async fn on_route(
    gateway: &Arc<Gateway>,
    arrival: &Arrival,
    request: &mut Request<ClientBody>,
    (route, rest): (&str, &str),
) -> Result<Response<ResponseBody>, Refused> {
    // 1 receive
    let endpoint =
        receive::endpoint(request, rest).map_err(|error| (error, receive::dialect_of(rest)))?;
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
    let asked = (route, &endpoint, &principal);
    if endpoint.format.is_socket() {
        let opened = socket::open(gateway, request, arrival.caller_of(asked)).await;
        return opened.map_err(|error| (error, dialect));
    }

    // 3 inspect
    let (body, facts) = inspected(gateway, request, &endpoint)
        .await
        .map_err(|error| (error, dialect))?;

    let exchange = Exchange::open(gateway, &principal, &arrival.opening(asked, &facts));
    let sent = Sent {
        here: match endpoint.format {
            Format::AnthropicBatches => receive::here(request, gateway.settings(), route),
            _ => String::new(),
        },
        method: request.method().clone(),
        headers: std::mem::take(request.headers_mut()),
        body,
        endpoint,
        facts,
    };
    match run(exchange, &sent, route).await {
        Ok(response) => Ok(response),
        Err((error, mut exchange)) => {
            exchange.failed(&error);
            exchange.close();
            let (id, caller) = (arrival.id, arrival.caller);
            Ok(respond::refusal(&error, dialect, id, caller))
        }
    }
}

/// The body, and what it asks for.
async fn inspected(
    gateway: &Gateway,
    request: &mut Request<ClientBody>,
    endpoint: &Endpoint,
) -> Result<(Received, RequestFacts), Error> {
    let body = receive::body(request, endpoint, gateway.settings()).await?;
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let facts = inspect::inspect(endpoint, content_type, &body.here)?;
    Ok((body, facts))
}

impl Arrival {
    fn opening<'r>(
        &'r self,
        (route, endpoint, _): (&'r str, &'r Endpoint, &'r Arc<Principal>),
        facts: &'r RequestFacts,
    ) -> Opening<'r> {
        Opening {
            request: self.id,
            received_at: self.at,
            started: self.started,
            route,
            endpoint,
            facts,
            caller: self.caller,
            view: &self.view,
        }
    }

    fn caller_of<'r>(
        &'r self,
        (route, endpoint, principal): (&'r str, &'r Endpoint, &'r Arc<Principal>),
    ) -> socket::Caller<'r> {
        socket::Caller {
            request: self.id,
            received_at: self.at,
            started: self.started,
            route,
            endpoint,
            traits: self.caller,
            view: &self.view,
            principal,
        }
    }
}

/// What the client sent.
struct Sent {
    method: Method,
    headers: HeaderMap,
    body: Received,
    /// Where the client reaches the route, where answers say so.
    here: String,
    endpoint: Endpoint,
    facts: RequestFacts,
}

/// Steps 4 to 6: an answer that the client may see.
async fn served(exchange: &mut Exchange, sent: &Sent, route: &str) -> Result<Accepted, Error> {
    // 4 select
    let asked = (route, &sent.endpoint, &sent.facts);
    let (view, principal) = (&exchange.view, &exchange.principal);
    let mut located = objects::locate(&exchange.gateway, view, principal, asked).await?;
    let plan = match plan(exchange, sent, route, &located) {
        Ok(plan) => plan,
        Err(no_plan) => return Err(refuse_plan(exchange, no_plan).await),
    };
    exchange.batch = located.work.take();

    // 5 reserve
    if let Some(first) = plan.attempts.front()
        && sent.endpoint.operation.is_billed()
    {
        exchange.pricing.clone_from(&first.pricing);
        let reservation = reserve::reserve(exchange, &sent.facts, &first.attempt).await?;
        exchange.reservation = Some(reservation);
    }

    // 6 attempt
    let inbound = Inbound {
        method: &sent.method,
        endpoint: &sent.endpoint,
        headers: &sent.headers,
        facts: &sent.facts,
        body: &sent.body.here,
        rest: sent.body.rest.as_ref(),
    };
    let asked = objects::Asked {
        inbound,
        located: &located,
        here: &sent.here,
    };
    objects::before_delete(exchange, asked).await;
    let mut accepted = attempt::attempt(exchange, inbound, plan).await?;
    objects::answer(exchange, asked, &mut accepted).await?;
    Ok(accepted)
}

/// Steps 4 to 7; steps 8 and 9 happen when the exchange is closed.
async fn run(
    mut exchange: Exchange,
    sent: &Sent,
    route: &str,
) -> Result<Response<ResponseBody>, (Error, Box<Exchange>)> {
    match served(&mut exchange, sent, route).await {
        // 7 relay
        // 8 settle and 9 record: when the exchange is closed, by its destructor if by nobody else
        Ok(accepted) => Ok(relay::relay(exchange, accepted)),
        Err(error) => Err((error, Box::new(exchange))),
    }
}

/// Whom to try, in which order, at which price.
fn plan(
    exchange: &Exchange,
    sent: &Sent,
    route: &str,
    located: &objects::Located,
) -> Result<Plan, NoPlan> {
    let gateway = &exchange.gateway;
    let (principal, facts) = (&exchange.principal, &sent.facts);
    let org = exchange.view.organization(principal.ids.organization)?;
    let wanted = Wanted {
        route,
        format: sent.endpoint.format,
        operation: exchange.record.operation,
        model: &facts.model,
        other_models: &facts.other_models,
        lives_at: located.at,
    };
    let now = Instant::now();
    let affinity = select::affinity(principal, facts, &sent.headers);
    let mut chance = Chance {
        affinity: affinity.as_deref(),
        draw: &mut || gateway.draw(),
        out_until: &|provider| gateway.health.out_until(provider, now),
    };
    let asked = (route, &sent.endpoint);
    let mut route = select::route(org, principal, wanted, &mut chance)?;
    objects::in_one_place(org, asked, &mut route);
    if facts.deferred {
        return objects::plan(&exchange.view, principal, route, located.work.as_deref());
    }
    if sent.endpoint.operation.is_billed() {
        select::with_prices(&exchange.view, route)
    } else {
        Ok(route.into())
    }
}

/// Blocks the API key, where that is a provider's policy for models without a price.
async fn refuse_plan(exchange: &Exchange, no_plan: NoPlan) -> Error {
    let NoPlan { error, blocks_key } = no_plan;
    let key = exchange.principal.ids.api_key.filter(|_| blocks_key);
    if let Some(key) = key
        && let Err(error) = exchange.gateway.parts.store.block_api_key(key).await
    {
        tracing::error!(%error, %key, "an API key could not be blocked");
    }
    error
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
