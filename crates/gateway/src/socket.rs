//! Conversations over WebSockets: OpenAI's realtime API, its responses over a socket, Gemini Live.
//!
//! The opening takes the first steps of any request (receive, identify, select) and asks each
//! provider of the plan in turn for the same protocol; the first that switches serves the whole
//! conversation. From then on frames pass one by one, unchanged but for a model that the target
//! maps, and every turn in them is an exchange of its own: held before its frame goes upstream,
//! topped up while it runs, settled when it ends ([`turns`]). The opening is recorded too: it counts
//! as a request, covers turns that the server begins by itself, and books what has no exchange of its
//! own ([`standing`]).
//!
//! A limit that is reached refuses the next turn, and ends a turn that runs: the client is told in
//! the protocol's own frame, and a conversation that cannot be stopped otherwise is closed.

mod connect;
mod ending;
mod handshake;
mod message;
mod relay;
mod seat;
mod standing;
mod state;
mod turns;

use crate::{
    exchange::{Exchange, Opening},
    relay::ResponseBody,
    respond,
    state::{Gateway, View},
};
use bytes::Bytes;
use connect::{Connected, NotConnected};
use http::{Request, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use seat::Seat;
use standing::Standing;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::protocol::{Role, WebSocketConfig},
};
use tollgate_core::{
    clock::Timestamp,
    error::{Error, Kind},
    id::RequestId,
    principal::Principal,
};
use tollgate_wire::{endpoint::Endpoint, error::CallerTraits, facts::RequestFacts};

/// A connection that speaks frames.
type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The largest message of either side, in bytes. Pictures and long sounds come in one message.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// How long a client may take to take up the connection that it asked for.
const TAKE_UP_TIME: Duration = Duration::from_secs(30);

/// A client that wants to converse.
pub(crate) struct Caller<'r> {
    pub(crate) request: RequestId,
    pub(crate) received_at: Timestamp,
    pub(crate) started: Instant,
    pub(crate) route: &'r str,
    pub(crate) endpoint: &'r Endpoint,
    pub(crate) traits: CallerTraits,
    pub(crate) view: &'r Arc<View>,
    pub(crate) principal: &'r Arc<Principal>,
}

/// Opens a conversation: the answer is a 101, or the refusal of the last provider asked.
///
/// # Errors
/// What any opening may be refused with: no handshake, no route, no model, a limit that is reached,
/// a provider that cannot be reached.
pub(crate) async fn open<B>(
    gateway: &Arc<Gateway>,
    request: &mut Request<B>,
    caller: Caller<'_>,
) -> Result<Response<ResponseBody>, Error> {
    let accept_key = handshake::accept_key(request.method(), request.headers())?;
    let facts = facts(caller.endpoint)?;
    let on_upgrade = hyper::upgrade::on(&mut *request);
    let query = request.uri().query().map(str::to_owned);
    let headers = std::mem::take(request.headers_mut());
    let mut opening = Exchange::open(
        gateway,
        caller.principal,
        &Opening {
            request: caller.request,
            received_at: caller.received_at,
            started: caller.started,
            route: caller.route,
            endpoint: caller.endpoint,
            facts: &facts,
            caller: caller.traits,
            view: caller.view,
        },
    );
    let connected = connect::connect(&mut opening, &caller, &headers, &facts).await;
    let Connected {
        attempt,
        headers: answered,
        socket,
    } = match connected {
        Ok(connected) => connected,
        Err(NotConnected::Theirs(refusal)) => return Ok(connect::refused(opening, *refusal)),
        Err(NotConnected::Ours(error)) => {
            opening.failed(&error);
            opening.close();
            return Ok(refusal(&error, &caller));
        }
    };
    opening.answered(101);
    let mut response = handshake::switching(&accept_key, &answered);
    respond::stamp(response.headers_mut(), caller.request);
    let seat = Seat::new(&caller, (headers, query), attempt, gateway);
    let standing = Standing::new(opening);
    gateway.spawn(take_up(seat, standing, (on_upgrade, socket)));
    Ok(response.map(|()| ResponseBody::whole(Bytes::new())))
}

/// The refusal of an opening. Codex tries a WebSocket first, and goes on over HTTP without a word
/// when that is answered with 426; with any other status it gives up.
fn refusal(error: &Error, caller: &Caller<'_>) -> Response<ResponseBody> {
    let dialect = caller.endpoint.format.dialect();
    let mut response = respond::refusal(error, dialect, caller.request, caller.traits);
    let is_not_spoken = matches!(error.kind(), Kind::UnknownRoute);
    if is_not_spoken && caller.traits.codex {
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    }
    response
}

/// The conversation, once the client has taken up its side.
async fn take_up(
    seat: Seat,
    mut standing: Standing,
    (on_upgrade, upstream): (OnUpgrade, TokioIo<Upgraded>),
) {
    let Ok(Ok(client)) = timeout(TAKE_UP_TIME, on_upgrade).await else {
        standing.close();
        return;
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let client = TokioIo::new(client);
    let client = Socket::from_raw_socket(client, Role::Server, Some(config)).await;
    let upstream = Socket::from_raw_socket(upstream, Role::Client, Some(config)).await;
    Box::pin(relay::converse(seat, standing, (client, upstream))).await;
}

/// What the opening asks for, by its path alone.
fn facts(endpoint: &Endpoint) -> Result<RequestFacts, Error> {
    use tollgate_core::format::Format;
    let model = endpoint.model.clone().unwrap_or_default();
    if endpoint.format == Format::OpenAiRealtime && model.is_empty() {
        return Err(Error::new(
            Kind::BadRequest,
            "the realtime endpoint needs a model: connect to `…/realtime?model=NAME`",
        ));
    }
    Ok(RequestFacts {
        model,
        stream: true,
        choices: 1,
        output_cap: Some(0),
        ..RequestFacts::default()
    })
}
