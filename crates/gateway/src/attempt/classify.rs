//! What may go wrong at a target, and what follows. All of it is in one table:
//!
//! | at the target | next target | may be billed | its health |
//! |---|---|---|---|
//! | no connection: refused, no such name, too slow, no trusted TLS | yes | no | a failure |
//! | no head in time; connection lost before the head; not HTTP | yes | yes | a failure |
//! | 401, 402, 403 or 400 about our credential | yes | no | out at once, an alert |
//! | no credential to be had for it | yes | no | a failure |
//! | 429, 503, 529 with a `retry-after` | yes | no | out until then |
//! | 408, 429, any 5xx | yes | no | a failure |
//! | a redirect | yes | no | a failure |
//! | any other error: 400, 403 about the content, 404, 413, 422 … | no: the client's | no | alive |
//! | an error event about the request, whenever it comes | no: the client's | yes | alive |
//! | before any content: any other error event | yes | yes | a failure |
//! | before any content: reset, silence, an end, nothing to be read | yes | yes | a failure |
//! | a plain answer that breaks off | yes | yes | a failure |
//! | a plain answer that is only an error, or no JSON | yes, while there is one | yes | a failure |
//! | does not fit its envelope; has no bound to hold (later targets) | yes | no | nothing |
//! | as many requests as it may have | yes | no | nothing |
//! | our own time is up (`time_budget`, `request_deadline`), and it had most of it | no | yes | a failure |
//! | the same, and it had less than half | no | yes | nothing |
//! | it waited for the client's own body, and gave up | no | yes | nothing |
//! | anything after the first content | no | yes | broke off |
//!
//! An error status is believed, also when its body breaks off: nothing is billed for it. What may
//! be billed is set aside at its estimate. A content filter's refusal is an answer, whatever it
//! looks like. The hold of the first target is taken before there are attempts (step 5): if it has
//! no bound, the request is refused there.

use super::Failed;
use crate::{
    health::Sign,
    upstream::{FailureClass, SendError},
};
use http::{HeaderMap, StatusCode, header};
use std::time::Duration;
use tollgate_core::{
    clock::Timestamp,
    error::{Error, Kind},
};
use tollgate_wire::tap::blames_content;

/// Why a target came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No head came.
    NotSent(FailureClass),
    /// It refused our credential.
    Credential(StatusCode),
    /// It answered with an error of its own, and perhaps said for how long.
    Status(StatusCode, Option<Duration>),
    /// It pointed elsewhere.
    Redirect(StatusCode),
    /// Its stream began with an error.
    ErrorEvent,
    /// Its answer broke off before there was any content, or before a plain one was whole.
    BrokeOff,
    /// It fell silent before there was any content.
    Silent,
    /// Our own time for it was up: a group's budget, the longest that a request may live.
    OutOfTime,
    /// Its stream ended without content and without saying anything.
    Empty,
    /// The request does not fit it.
    Unfit,
    /// It is full.
    Full,
}

impl Failure {
    /// What it says of the provider's health, if anything.
    pub(super) fn sign(self) -> Option<Sign> {
        match self {
            Self::Credential(_) => Some(Sign::CredentialRefused),
            Self::Status(
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE,
                Some(delay),
            ) => Some(Sign::Overloaded(delay)),
            Self::Status(status, Some(delay)) if status.as_u16() == OVERLOADED => {
                Some(Sign::Overloaded(delay))
            }
            Self::NotSent(_)
            | Self::Status(..)
            | Self::Redirect(_)
            | Self::ErrorEvent
            | Self::BrokeOff
            | Self::Silent
            | Self::Empty => Some(Sign::Failed),
            Self::OutOfTime | Self::Unfit | Self::Full => None,
        }
    }

    /// Whether the client may see the provider's own words: not those about our credential, which
    /// may echo parts of it.
    pub(super) fn may_be_shown(self) -> bool {
        matches!(self, Self::Status(..))
    }

    /// A word or two for the log.
    pub(super) fn word(self) -> String {
        let word = match self {
            Self::NotSent(class) => match class {
                FailureClass::Unreachable => "unreachable",
                FailureClass::ConnectTimeout => "connect_timeout",
                FailureClass::Tls => "tls",
                FailureClass::HeadTimeout => "head_timeout",
                FailureClass::Reset => "reset",
                FailureClass::Garbled => "garbled",
                FailureClass::Credential => "no_credential",
            },
            Self::Credential(status) | Self::Status(status, _) | Self::Redirect(status) => {
                return status.as_u16().to_string();
            }
            Self::ErrorEvent => "error_event",
            Self::BrokeOff => "broke_off",
            Self::Silent => "silent",
            Self::OutOfTime => "out_of_time",
            Self::Empty => "empty",
            Self::Unfit => "unfit",
            Self::Full => "full",
        };
        word.to_owned()
    }
}

/// What an error status means, once its body is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The client's own: it sees the answer.
    Client,
    /// The provider's: another target may do better.
    Provider(Failure),
}

/// Anthropic's "overloaded".
const OVERLOADED: u16 = 529;

/// Whose fault an error status is. `body` is what of it was read.
pub(super) fn of_status(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Verdict {
    let failure = match status {
        // Every other 403 is about our credential.
        StatusCode::FORBIDDEN if blames_content(body) => return Verdict::Client,
        StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN => {
            Failure::Credential(status)
        }
        StatusCode::BAD_REQUEST if is_about_our_key(body) => Failure::Credential(status),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Failure::Status(status, retry_after(headers, body, now))
        }
        _ if status.is_server_error() => Failure::Status(status, retry_after(headers, body, now)),
        _ if status.is_redirection() || status.is_informational() => Failure::Redirect(status),
        _ => return Verdict::Client,
    };
    Verdict::Provider(failure)
}

/// Google and xAI answer a bad key with a 400, and xAI repeats parts of it. What speaks `OpenAI`'s
/// format may do as either does, so this is asked of every kind.
///
/// Only as the beginning of the member that says so: a caller who has such words repeated to him
/// elsewhere must not be able to take the provider out for everybody.
fn is_about_our_key(body: &[u8]) -> bool {
    let text = std::str::from_utf8(body).unwrap_or_default();
    ABOUT_OUR_KEY
        .iter()
        .any(|(members, words)| says(text, members, words))
}

const ABOUT_OUR_KEY: [(&[&str], &str); 4] = [
    (&["error", "message"], "Incorrect API key provided"),
    (&["error", "message"], "API key not valid"),
    (&["reason"], "API_KEY_INVALID"),
    (&["code"], "invalid_api_key"),
];

/// Whether one of these members, wherever it stands, has a string that begins so. Inside another
/// string the quotes around it would be escaped.
fn says(text: &str, members: &[&str], words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let name = before
            .strip_suffix('"')
            .and_then(|rest| rest.trim_end().strip_suffix(':'))
            .and_then(|rest| rest.trim_end().strip_suffix('"'));
        let is_one = |member: &&str| {
            name.and_then(|name| name.strip_suffix(member))
                .is_some_and(|rest| rest.ends_with('"') && !rest.ends_with("\\\""))
        };
        members.iter().any(is_one)
    })
}

/// For how long the provider wants to be left alone, by its headers or, at Google, by the error's
/// `RetryInfo`. `None` when it does not say, or says "not at all".
fn retry_after(headers: &HeaderMap, body: &[u8], now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let millis = |name: &str| Some(Duration::from_millis(text(name)?.parse().ok()?));
    let seconds = || {
        let text = text(header::RETRY_AFTER.as_str())?;
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Duration::try_from(date.duration_since(now)).ok()
    };
    millis("retry-after-ms")
        .or_else(seconds)
        .or_else(|| millis("x-amz-retry-after"))
        .or_else(|| retry_delay(body))
        .filter(|delay| !delay.is_zero())
}

/// `"retryDelay": "30s"`, perhaps with a fraction, which is rounded up.
fn retry_delay(body: &[u8]) -> Option<Duration> {
    const KEY: &str = "\"retryDelay\"";
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once(KEY)?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let number = rest.strip_prefix('"')?.split_once("s\"")?.0;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let up = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    Some(Duration::from_secs(
        whole.parse::<u64>().ok()?.checked_add(up)?,
    ))
}

impl Failed {
    /// No head came.
    pub(super) fn not_sent(failure: SendError) -> Self {
        Self::of(Failure::NotSent(failure.class), failure.error)
    }

    /// The provider has as many requests as it may have.
    pub(super) fn full(slug: &str) -> Self {
        let error = Error::new(
            Kind::Unavailable,
            format!(
                "the provider `{slug}` has as many requests as it may have at once: try again \
                 in a moment"
            ),
        );
        Self::of(
            Failure::Full,
            error.with_retry_after(Duration::from_secs(1)),
        )
    }

    /// An error of the provider's own.
    pub(super) fn of_status(slug: &str, failure: Failure) -> Self {
        let error = match failure {
            Failure::Credential(status) => credential_refused(slug, status),
            Failure::Redirect(status) => Error::new(
                Kind::UpstreamBroken,
                format!("the provider `{slug}` answered with a redirect, which is not followed"),
            )
            .with_context(format!(
                "provider `{slug}` answered {status}: check its base_url"
            )),
            other => Error::new(
                Kind::UpstreamBroken,
                format!("the provider `{slug}` answered with an error"),
            )
            .with_context(format!("provider `{slug}` answered {}", other.word())),
        };
        Self::of(failure, error)
    }
}

/// What the caller is told when nothing came for so long.
pub(super) fn sent_nothing(waited: Duration) -> Error {
    let seconds = waited.as_secs();
    let message = format!("the provider sent nothing for {seconds} s");
    Error::new(Kind::UpstreamTimeout, message)
}

/// What the caller is told when our credential is refused.
fn credential_refused(slug: &str, status: StatusCode) -> Error {
    Error::new(
        Kind::UpstreamUnreachable,
        format!("the provider `{slug}` refused this gateway's credential: tell its operator"),
    )
    .with_context(format!(
        "provider `{slug}` answered {status} to our credential"
    ))
}

#[cfg(test)]
mod tests;
