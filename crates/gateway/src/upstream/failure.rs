//! Why no head of an answer came: what the caller is told, whether the provider may bill the
//! request, and the class that failover decides by.

use super::connect::ConnectError;
use hyper_util::client::legacy;
use std::time::Duration;
use tollgate_core::error::{Error, Kind};

/// Why no head of an answer came.
#[derive(Clone, Debug)]
pub(crate) struct SendError {
    /// What the caller is told.
    pub(crate) error: Error,
    /// Whether the upstream may have received the request (and may bill it).
    pub(crate) may_have_arrived: bool,
    /// What went wrong.
    pub(crate) class: FailureClass,
}

/// What may go wrong before the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FailureClass {
    /// No connection: refused, no such name, no way there, an address that may not be dialled.
    Unreachable,
    /// No connection within its time.
    ConnectTimeout,
    /// A connection, but no trust: a certificate, a protocol.
    Tls,
    /// Sent, and silence.
    HeadTimeout,
    /// Sent, and the connection ended.
    Reset,
    /// Sent, and what came back is not an answer that can be read.
    Garbled,
    /// Nothing was sent: the credential could not be had or put on the request.
    Credential,
}

impl FailureClass {
    const fn kind(self) -> Kind {
        match self {
            Self::Unreachable | Self::Tls | Self::Reset => Kind::UpstreamUnreachable,
            Self::ConnectTimeout | Self::HeadTimeout => Kind::UpstreamTimeout,
            Self::Garbled => Kind::UpstreamBroken,
            Self::Credential => Kind::Unavailable,
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::Unreachable => "the provider could not be reached",
            Self::ConnectTimeout => "the provider could not be reached in time",
            Self::Tls => "no trusted connection to the provider could be made",
            Self::HeadTimeout => "the provider sent no answer in time",
            Self::Reset => "the connection to the provider ended before its answer",
            Self::Garbled => "the provider's answer could not be read",
            Self::Credential => {
                "this gateway has no credential for the provider now: tell its operator"
            }
        }
    }
}

impl SendError {
    /// A failure before anything was sent.
    pub(super) fn not_sent(class: FailureClass, context: impl Into<String>) -> Self {
        Self {
            error: Error::new(class.kind(), class.message()).with_context(context),
            may_have_arrived: false,
            class,
        }
    }

    /// No head within `limit`.
    pub(super) fn no_head(limit: Duration) -> Self {
        Self {
            error: Error::new(
                Kind::UpstreamTimeout,
                format!("the provider sent no answer for {} s", limit.as_secs()),
            ),
            may_have_arrived: true,
            class: FailureClass::HeadTimeout,
        }
    }

    /// An answer that is none.
    pub(super) fn garbled(may_have_arrived: bool, context: impl Into<String>) -> Self {
        let class = FailureClass::Garbled;
        Self {
            error: Error::new(class.kind(), class.message()).with_context(context),
            may_have_arrived,
            class,
        }
    }

    /// A setting that cannot be put on the wire: the operator's business.
    pub(super) fn misconfigured(slug: &str, what: &str) -> Self {
        Self {
            error: super::request::misconfigured(slug, what),
            may_have_arrived: false,
            class: FailureClass::Credential,
        }
    }

    /// For documents that are fetched for the operator: what went wrong in one line.
    pub(super) fn describe(&self) -> &str {
        self.error.context().unwrap_or(self.error.message())
    }
}

impl From<legacy::Error> for SendError {
    fn from(error: legacy::Error) -> Self {
        let context = chain(&error);
        if error.is_connect() {
            let class =
                find::<ConnectError>(&error).map_or(FailureClass::Unreachable, ConnectError::class);
            return Self::not_sent(class, context);
        }
        if find::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse) {
            return Self::garbled(true, context);
        }
        let class = FailureClass::Reset;
        Self {
            error: Error::new(class.kind(), class.message()).with_context(context),
            may_have_arrived: true,
            class,
        }
    }
}

/// The first cause of this type.
pub(super) fn find<'e, T: std::error::Error + 'static>(
    error: &'e (dyn std::error::Error + 'static),
) -> Option<&'e T> {
    std::iter::successors(Some(error), |inner| inner.source())
        .find_map(|inner| inner.downcast_ref())
}

/// An error and its causes in one line.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |inner| inner.source());
    let texts: Vec<_> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
