//! One vocabulary of errors. An [`Error`] says what failed, whose fault it is and whether to try
//! again; it carries one text for the caller and another for the operator, and no `Display`, so
//! the second cannot slip out by accident. It is rendered at the edge in the caller's dialect.

use crate::clock::Timestamp;
use std::time::Duration;

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The request cannot be understood: not JSON, no model, a bad parameter.
    BadRequest,
    /// No credential, or one that is wrong, expired or revoked.
    Unauthenticated,
    /// The credential is good but switched off, or lacks the permission.
    Forbidden,
    /// No such route, or not for this caller.
    UnknownRoute,
    /// No such endpoint on this route.
    UnknownEndpoint,
    /// No such model here, or not for this caller.
    UnknownModel,
    /// No such stored object (file, batch, response), or not this caller's.
    UnknownObject,
    /// A body over the limit.
    TooLarge,
    /// The client sent too slowly.
    RequestTimeout,
    /// A spending limit is used up.
    LimitReached,
    /// Only holds of other requests stand in the way, and they did not end in time.
    LimitHeld,
    /// Too many requests in a short time.
    RateLimited,
    /// The model has no price: spend cannot be calculated.
    Unpriced,
    /// This gateway is shutting down or has no room (hold slots, store).
    Unavailable,
    /// The upstream could not be reached or refused our credential.
    UpstreamUnreachable,
    /// The upstream's answer broke off or made no sense.
    UpstreamBroken,
    /// The upstream did not answer in time.
    UpstreamTimeout,
    /// A defect of ours.
    Internal,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::UnknownRoute,
        Self::UnknownEndpoint,
        Self::UnknownModel,
        Self::UnknownObject,
        Self::TooLarge,
        Self::RequestTimeout,
        Self::LimitReached,
        Self::LimitHeld,
        Self::RateLimited,
        Self::Unpriced,
        Self::Unavailable,
        Self::UpstreamUnreachable,
        Self::UpstreamBroken,
        Self::UpstreamTimeout,
        Self::Internal,
    ];

    /// The code in logs, usage rows and error bodies.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "invalid_api_key",
            Self::Forbidden => "forbidden",
            Self::UnknownRoute => "unknown_route",
            Self::UnknownEndpoint => "unknown_endpoint",
            Self::UnknownModel => "model_not_found",
            Self::UnknownObject => "not_found",
            Self::TooLarge => "request_too_large",
            Self::RequestTimeout => "request_timeout",
            Self::LimitReached => "limit_reached",
            Self::LimitHeld => "limit_held",
            Self::RateLimited => "rate_limited",
            Self::Unpriced => "unpriced_model",
            Self::Unavailable => "unavailable",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UpstreamBroken => "upstream_broken",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status in every dialect (Codex's 429 for limits is an exception made at the edge).
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::Unpriced => 400,
            Self::Unauthenticated => 401,
            Self::LimitReached | Self::LimitHeld => 402,
            Self::Forbidden => 403,
            Self::UnknownRoute
            | Self::UnknownEndpoint
            | Self::UnknownModel
            | Self::UnknownObject => 404,
            Self::RequestTimeout => 408,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::UpstreamUnreachable | Self::UpstreamBroken => 502,
            Self::Unavailable => 503,
            Self::UpstreamTimeout => 504,
        }
    }

    /// Whose fault it is.
    pub const fn origin(self) -> Origin {
        match self {
            Self::BadRequest
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::UnknownRoute
            | Self::UnknownEndpoint
            | Self::UnknownModel
            | Self::UnknownObject
            | Self::TooLarge
            | Self::RequestTimeout
            | Self::LimitReached
            | Self::LimitHeld
            | Self::RateLimited
            | Self::Unpriced => Origin::Client,
            Self::Unavailable | Self::Internal => Origin::Gateway,
            Self::UpstreamUnreachable | Self::UpstreamBroken | Self::UpstreamTimeout => {
                Origin::Upstream
            }
        }
    }
}

/// Whose fault an error is: decides the log level and which metric grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The caller's.
    Client,
    /// Ours.
    Gateway,
    /// The provider's.
    Upstream,
}

impl Origin {
    /// The word in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Gateway => "gateway",
            Self::Upstream => "upstream",
        }
    }
}

/// Whether the caller should try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// No: the same request will be refused again.
    Never,
    /// Yes, at once or after a delay of its own choice.
    Later,
    /// Yes, after this long.
    After(Duration),
}

/// An error we originate.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Kind,
    message: String,
    context: Option<String>,
    retry_after: Option<Duration>,
    resets_at: Option<Timestamp>,
}

impl Error {
    /// An error with the text the caller reads: lower case, no final stop, naming the thing and
    /// the next step.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            context: None,
            retry_after: None,
            resets_at: None,
        }
    }

    /// Adds what the operator reads (never the caller). Must hold no secret.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Says when trying again will help. Rate limits, and what is full for a moment.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Says when the limit's window ends (Codex shows it).
    #[must_use]
    pub fn with_resets_at(mut self, at: Timestamp) -> Self {
        self.resets_at = Some(at);
        self
    }

    /// What failed.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What the caller reads.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the operator reads.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// When the limit's window ends.
    pub fn resets_at(&self) -> Option<Timestamp> {
        self.resets_at
    }

    /// Whether the caller should try again.
    pub fn retry(&self) -> Retry {
        match self.kind {
            Kind::RateLimited | Kind::Unavailable => {
                self.retry_after.map_or(Retry::Later, Retry::After)
            }
            Kind::UpstreamUnreachable
            | Kind::UpstreamBroken
            | Kind::UpstreamTimeout
            | Kind::RequestTimeout => Retry::Later,
            Kind::BadRequest
            | Kind::Unauthenticated
            | Kind::Forbidden
            | Kind::UnknownRoute
            | Kind::UnknownEndpoint
            | Kind::UnknownModel
            | Kind::UnknownObject
            | Kind::TooLarge
            | Kind::LimitReached
            | Kind::LimitHeld
            | Kind::Unpriced
            | Kind::Internal => Retry::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bad_credential_is_401() {
        for kind in Kind::ALL {
            assert_eq!(kind.status() == 401, kind == Kind::Unauthenticated);
        }
    }

    #[test]
    fn a_used_up_limit_is_never_retried() {
        for kind in [Kind::LimitReached, Kind::LimitHeld] {
            assert_eq!(Error::new(kind, "spent").retry(), Retry::Never);
        }
    }
}
