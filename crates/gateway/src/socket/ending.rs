//! How a conversation ends, and what either side is told.

use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tollgate_core::error::{Error, Kind};

/// The longest reason in a close frame (RFC 6455 §5.5), in bytes.
const REASON_BYTES_MAX: usize = 123;

/// Why a conversation is over.
pub(super) enum End {
    /// The client closed, with these words.
    ClientClosed(Option<CloseFrame>),
    /// The provider closed, with these words.
    UpstreamClosed(Option<CloseFrame>),
    /// The client went without a word.
    ClientGone,
    /// We end it.
    Ours(Error),
}

impl End {
    /// The provider closed with these words, which are the client's to see unless they are about our
    /// credential.
    pub(super) fn of_upstream(words: Option<CloseFrame>) -> Self {
        let about_us = |words: &CloseFrame| words.reason.contains("invalid_api_key");
        if words.as_ref().is_some_and(about_us) {
            return Self::Ours(rejected("it said so when it closed the conversation"));
        }
        Self::UpstreamClosed(words)
    }

    /// The words to the client and to the provider.
    pub(super) fn words(&self) -> (Option<CloseFrame>, Option<CloseFrame>) {
        let close = |code, reason: &str| {
            let mut end = reason.len().min(REASON_BYTES_MAX);
            while !reason.is_char_boundary(end) {
                end -= 1;
            }
            Some(CloseFrame {
                code,
                reason: reason.get(..end).unwrap_or_default().into(),
            })
        };
        match self {
            Self::ClientClosed(words) | Self::UpstreamClosed(words) => {
                (words.clone(), words.clone())
            }
            Self::ClientGone => (None, close(CloseCode::Away, "the client has gone")),
            Self::Ours(error) => {
                let code = match error.kind() {
                    Kind::Unavailable | Kind::UpstreamTimeout => CloseCode::Restart,
                    Kind::UpstreamBroken => CloseCode::Error,
                    _ => CloseCode::Policy,
                };
                (close(code, error.message()), close(CloseCode::Normal, ""))
            }
        }
    }
}

/// The provider took the handshake and not our credential.
pub(super) fn rejected(context: &str) -> Error {
    Error::new(
        Kind::UpstreamUnreachable,
        "the provider refused this gateway's credential: tell its operator",
    )
    .with_context(context)
}

/// The provider went without a word, or cannot be written to.
pub(super) fn broken(context: &str) -> Error {
    Error::new(
        Kind::UpstreamBroken,
        "the connection to the provider broke off",
    )
    .with_context(context)
}
