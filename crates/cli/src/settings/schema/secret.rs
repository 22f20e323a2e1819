//! Secrets and credentials: where a text is read from that the file itself must not hold.

use super::{
    Default, Key, Section, Shape,
    shapes::{EMPTY, PATH, STRING, URL, key},
};
use tollgate_core::provider::Entra;

pub(super) static SECRET: Section = Section {
    title: "A secret",
    doc: "Where a secret is read from: exactly one of these keys.",
    keys: &[ENV, FILE, VALUE],
};

pub(super) static CREDENTIAL: Section = Section {
    title: "`credential` of a provider",
    doc: "What we present to it: a key or token that stands on each request, or what a cloud's \
          signatures and access tokens are made with. One table: `placement` says what it is, \
          `env`, `file` or `value` where the secret is read from.",
    keys: &[
        ENV,
        FILE,
        VALUE,
        key(
            "placement",
            Shape::Scalar(
                "`bearer`, `header:NAME`, `query:NAME`, `aws-keys`, `aws-chain`, \
                 `google-service-account`, `google-default` or `entra`",
            ),
            Default::None("what the kind of provider wants; Vertex: `google-service-account`"),
            "`Authorization: Bearer`, a header or a query parameter with the bare secret. \
             `aws-keys`: requests are signed with `access_key_id` and the secret access key, \
             `aws-chain`: with what the AWS standard chain finds (Bedrock). \
             `google-service-account`: the secret is the account's JSON key file, \
             `google-default`: Google's application default credentials (Vertex). `entra`: access \
             tokens for `tenant_id` and `client_id` with the client secret (Azure).",
        ),
        key(
            "access_key_id",
            STRING,
            EMPTY,
            "`aws-keys`: the id of the access key.",
        ),
        key(
            "session_token",
            Shape::Secret(&SECRET),
            EMPTY,
            "`aws-keys`: the session token of short-lived keys.",
        ),
        key("tenant_id", STRING, EMPTY, "`entra`: the directory."),
        key("client_id", STRING, EMPTY, "`entra`: the application."),
        key(
            "authority",
            URL,
            Default::Text(Entra::PUBLIC_AUTHORITY),
            "`entra`: where tokens are asked for; sovereign clouds have their own.",
        ),
    ],
};

const ENV: Key = key(
    "env",
    STRING,
    EMPTY,
    "Name of the environment variable that holds the secret.",
);
const FILE: Key = key(
    "file",
    PATH,
    EMPTY,
    "File that holds the secret; white space around it is dropped.",
);
const VALUE: Key = key(
    "value",
    STRING,
    EMPTY,
    "The secret itself. Prefer the others: settings files get copied.",
);
