//! Typed ids. An id is a UUID version 7 (RFC 9562), so ids sort by the time they were made; in
//! text it carries the prefix of its kind (`req_…`), so that one kind cannot be passed for another.

use crate::{clock::Timestamp, entropy::Entropy};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not an id of the form {prefix}_<uuid>")]
pub struct ParseIdError {
    text: String,
    prefix: &'static str,
}

/// Makes the bytes of a new version 7 UUID from a clock reading and randomness.
fn new_v7(now: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0_u8; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix of this kind of id in text.
            pub const PREFIX: &'static str = $prefix;

            /// A new id. Ids made later sort later (to the millisecond).
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(new_v7(now, entropy))
            }

            /// The sixteen bytes, as they are stored.
            pub const fn to_bytes(self) -> [u8; 16] {
                *self.0.as_bytes()
            }

            /// The id stored as these sixteen bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|uuid| Uuid::try_parse(uuid).ok())
                    .map(Self)
                    .ok_or_else(|| ParseIdError { text: text.to_owned(), prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

id!(
    /// One request from a client, however many attempts it takes.
    RequestId,
    "req"
);
id!(
    /// An organisation.
    OrganizationId,
    "org"
);
id!(
    /// A project of an organisation.
    ProjectId,
    "prj"
);
id!(
    /// A member: a person in an organisation.
    MemberId,
    "mem"
);
id!(
    /// An API key (the record, not the secret).
    ApiKeyId,
    "key"
);
id!(
    /// A provider: a configured upstream.
    ProviderId,
    "prv"
);
id!(
    /// A routing group.
    RoutingGroupId,
    "grp"
);
id!(
    /// An agent session: one launch of a coding agent.
    AgentSessionId,
    "ses"
);
id!(
    /// One server process with its hold file; lives inside the hold file.
    NodeId,
    "nod"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::FixedEntropy;

    #[test]
    fn text_form_round_trips_and_names_its_kind() {
        let id = RequestId::new(Timestamp::UNIX_EPOCH, &FixedEntropy(7));
        let text = id.to_string();
        assert!(text.starts_with("req_"));
        assert_eq!(text.parse::<RequestId>(), Ok(id));
        assert!(text.parse::<ProjectId>().is_err());
        assert_eq!(RequestId::from_bytes(id.to_bytes()), id);
    }
}
