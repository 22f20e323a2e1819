//! Step 1, receive: a request id, the endpoint from method and path, the bounded body.
//!
//! The body's original bytes are kept: what goes upstream later is these bytes with named edits.
//! A body that arrives in one piece is not copied; one in pieces is joined once.

use crate::settings::GatewaySettings;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, header};
use http_body::Body;
use http_body_util::BodyExt;
use std::{fmt::Display, time::Duration};
use tokio::time::{Instant, timeout_at};
use tollgate_core::{
    error::{Error, Kind},
    format::Dialect,
};
use tollgate_wire::endpoint::Endpoint;

/// How much of a refused body is read, for how long in all and in silence.
const READ_AWAY_BYTES: usize = 256 << 20;
const READ_AWAY_TIME: Duration = Duration::from_secs(10);
const READ_AWAY_SILENCE: Duration = Duration::from_secs(1);

/// The longest route: slugs are shorter, and it stands in rows and log lines.
const ROUTE_BYTES_MAX: usize = 64;

/// How much of an unknown path is repeated in a message.
const SHOWN_CHARS_MAX: usize = 128;

/// Where under `/proxy/` a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Address<'p> {
    /// `/proxy/models`: every model of every route.
    AllModels,
    /// `/proxy/{route}/{rest}`.
    Route {
        /// The first path segment.
        route: &'p str,
        /// What follows it, with its leading slash.
        rest: &'p str,
    },
}

/// Splits a path under `/proxy`; `None` for a path that is not the data plane's.
pub(crate) fn address(path: &str) -> Option<Address<'_>> {
    let below = path.strip_prefix("/proxy/")?;
    if below == "models" {
        return Some(Address::AllModels);
    }
    let slash = below.find('/')?;
    let (route, rest) = below.split_at_checked(slash)?;
    let named = !route.is_empty() && route.len() <= ROUTE_BYTES_MAX;
    named.then_some(Address::Route { route, rest })
}

/// Finds the endpoint of a path on a route.
pub(crate) fn endpoint(
    method: &Method,
    rest: &str,
    query: Option<&str>,
) -> Result<Endpoint, Error> {
    Endpoint::of(method, rest, query).ok_or_else(|| {
        let rest = shown(rest);
        Error::new(
            Kind::UnknownEndpoint,
            format!("`{method} {rest}` is not an endpoint of this gateway: see the endpoint table in its documentation"),
        )
    })
}

/// The dialect to refuse an unknown path in: what the path looks like it wanted.
pub(crate) fn dialect_of(rest: &str) -> Dialect {
    if rest.contains("/messages") {
        Dialect::Anthropic
    } else if rest.contains("/models/") || rest.contains("/publishers/") {
        Dialect::Google
    } else {
        Dialect::OpenAi
    }
}

/// As much of a path as is repeated to the caller and in the log.
fn shown(path: &str) -> String {
    path.chars().take(SHOWN_CHARS_MAX).collect()
}

/// The refusal of a path outside the data plane.
pub(crate) fn nothing_here(path: &str) -> Error {
    let path = shown(path);
    Error::new(
        Kind::UnknownEndpoint,
        format!("nothing is served at `{path}`: requests go to /proxy/<route>/…"),
    )
}

/// Reads the body, up to the limit and no slower than the idle timeout allows.
///
/// # Errors
/// [`Kind::TooLarge`], [`Kind::RequestTimeout`], or [`Kind::BadRequest`] for an encoding we would
/// have to undo before reading the model.
pub(crate) async fn body<B>(
    request: &mut Request<B>,
    settings: &GatewaySettings,
) -> Result<Bytes, Error>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    refuse_encoded(request.headers())?;
    let limit = settings.body_limit;
    let announced = request.body().size_hint();
    if announced.lower() > limit {
        return Err(too_large(limit));
    }
    let body = request.body_mut();
    let mut joined: Option<BytesMut> = None;
    let mut first = Bytes::new();
    let mut total: u64 = 0;
    loop {
        let frame = tokio::time::timeout(settings.body_idle_timeout, body.frame())
            .await
            .map_err(|_| slow(settings))?;
        let data = match frame {
            None => break,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(_trailers) => continue,
            },
            Some(Err(error)) => {
                return Err(Error::new(Kind::BadRequest, "the request body broke off")
                    .with_context(error.to_string()));
            }
        };
        total = total.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if total > limit {
            return Err(too_large(limit));
        }
        match &mut joined {
            Some(joined) => joined.extend_from_slice(&data),
            None if first.is_empty() => first = data,
            None => joined = Some(join(&first, &data, announced.exact(), limit)),
        }
    }
    Ok(joined.map_or(first, BytesMut::freeze))
}

/// Reads on after a refusal, for a moment, and throws away what comes. Many clients write all of a
/// body before they look: closing on them would reset the connection, and they would try again what
/// they were told not to.
pub(crate) fn read_away<B>(request: Request<B>)
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
{
    let (head, mut body) = request.into_parts();
    // Who asks before sending has been answered.
    if body.is_end_stream() || head.headers.contains_key(header::EXPECT) {
        return;
    }
    tokio::spawn(async move {
        let until = Instant::now() + READ_AWAY_TIME;
        let mut left = READ_AWAY_BYTES;
        while let Ok(Some(Ok(frame))) =
            timeout_at(until.min(Instant::now() + READ_AWAY_SILENCE), body.frame()).await
        {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    });
}

fn join(first: &Bytes, second: &Bytes, announced: Option<u64>, limit: u64) -> BytesMut {
    let known = announced.map_or(0, |length| usize::try_from(length.min(limit)).unwrap_or(0));
    let mut joined = BytesMut::with_capacity(known.max((first.len() + second.len()) * 2));
    joined.extend_from_slice(first);
    joined.extend_from_slice(second);
    joined
}

fn refuse_encoded(headers: &HeaderMap) -> Result<(), Error> {
    match headers.get(header::CONTENT_ENCODING) {
        None => Ok(()),
        Some(encoding) if encoding.as_bytes().eq_ignore_ascii_case(b"identity") => Ok(()),
        Some(encoding) => Err(Error::new(
            Kind::BadRequest,
            format!(
                "content-encoding `{}` is not supported: send the request body uncompressed",
                encoding.to_str().unwrap_or("?")
            ),
        )),
    }
}

fn too_large(limit: u64) -> Error {
    Error::new(
        Kind::TooLarge,
        format!(
            "the request body is larger than {limit} bytes, the limit of this gateway (server.body_limit)"
        ),
    )
}

fn slow(settings: &GatewaySettings) -> Error {
    Error::new(
        Kind::RequestTimeout,
        format!(
            "no byte of the request body came for {} s",
            settings.body_idle_timeout.as_secs()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_segment_is_the_route() {
        assert_eq!(address("/proxy/models"), Some(Address::AllModels));
        assert_eq!(
            address("/proxy/openai/v1/chat/completions"),
            Some(Address::Route {
                route: "openai",
                rest: "/v1/chat/completions"
            })
        );
        for outside in [
            "/",
            "/proxy",
            "/proxy/",
            "/proxy/openai",
            "/proxy//x",
            "/metrics",
        ] {
            assert_eq!(address(outside), None, "{outside}");
        }
    }
}
