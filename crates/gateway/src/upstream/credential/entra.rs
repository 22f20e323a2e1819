//! Access tokens of Microsoft Entra, for an application with a client secret
//! (the client credentials grant of the Microsoft identity platform, v2.0).

use super::{
    lease::Lease,
    token::{self, failed},
};
use crate::upstream::{failure::SendError, transport::Transport};
use http::Uri;
use tollgate_core::{
    clock::Clock,
    provider::{Connection, Entra},
    secret::Secret,
};
use tollgate_wire::endpoint::encode_query_value;

/// Azure OpenAI.
const OPENAI: &str = "https://cognitiveservices.azure.com/.default";

/// Other makers' APIs on Foundry.
const FOUNDRY: &str = "https://ai.azure.com/.default";

/// What a token must be good for to send a request there.
pub(super) fn scope(uri: &Uri) -> &'static str {
    let is_anthropic = uri.path().split('/').any(|segment| segment == "anthropic");
    if is_anthropic { FOUNDRY } else { OPENAI }
}

/// Asks for a token.
pub(super) async fn ask(
    application: &Entra,
    scope: &str,
    transport: &Transport,
    connection: &Connection,
    clock: &dyn Clock,
) -> Result<Lease<Secret>, SendError> {
    let authority = application.authority.trim_end_matches('/');
    let tenant = encode_query_value(&application.tenant_id);
    let uri: Uri = format!("{authority}/{tenant}/oauth2/v2.0/token")
        .parse()
        .map_err(|_| failed("the Entra authority is not a URL"))?;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &application.client_id),
        ("client_secret", application.client_secret.expose()),
        ("scope", scope),
    ];
    token::ask(transport, connection, clock, token::form(uri, &fields)).await
}
