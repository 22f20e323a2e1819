//! What a starting server says: where it listens, what was made, and a line to try.

use super::reload;
use crate::{printer::Printer, settings::Settings};
use std::{io, net::SocketAddr};
use tollgate_core::provider::ProviderKind;
use tollgate_store::Provisioned;

/// Prints it. Secrets of keys made just now stand here, once, and nowhere else.
pub(super) fn print(
    settings: &Settings,
    address: SocketAddr,
    provisioned: &Provisioned,
    printer: &mut Printer,
) -> io::Result<()> {
    reload::report(provisioned);
    let scheme = if settings.server.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let listening = format!("{scheme}://{address}");
    let url = settings.server.public_url.as_deref().unwrap_or(&listening);
    if settings.file.is_none() {
        printer.note(
            "no tollgate.toml here: starting with a simulated provider that answers every format\n\
             and sends nothing anywhere (docs/simulated-provider.md)",
        )?;
    }
    for made in &provisioned.made_keys {
        printer.result(&format!(
            "\nAPI key \"{}\" of project \"{}\", shown this once:\n\n    {}\n",
            made.name,
            made.project,
            made.secret.expose()
        ))?;
        if let Some(route) = route_to_try(settings) {
            printer.result(&format!(
                "Try it:\n\n    curl -i {url}/proxy/{route}/chat/completions \\\n      \
                 -H 'Authorization: Bearer {}' \\\n      \
                 -H 'Content-Type: application/json' \\\n      \
                 -d '{{\"model\": \"gpt-5.2\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello!\"}}]}}'\n",
                made.secret.expose()
            ))?;
        }
    }
    // The last line of the start: whoever waits for the server waits for it, quiet or not.
    printer.ready(&format!("listening on {listening}"))
}

/// A route that takes OpenAI chat requests for a well-known model.
fn route_to_try(settings: &Settings) -> Option<&str> {
    let speaks = |kind| matches!(kind, ProviderKind::OpenAi | ProviderKind::Simulated);
    let provider = settings
        .declared
        .providers
        .iter()
        .find(|provider| speaks(provider.kind))?;
    Some(match provider.kind {
        ProviderKind::Simulated if settings.declared.providers.len() == 1 => "openai",
        _ => &provider.slug,
    })
}
