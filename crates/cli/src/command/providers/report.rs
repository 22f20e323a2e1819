//! What was found out about a provider, in words: what was asked, what came of it, what to do.

use serde_json::{Value, json};
use tollgate_core::provider::Provider;
use tollgate_gateway::probe::{Bad, Call, Fault, Probe};

/// How many models are named.
const MODELS_SHOWN: usize = 20;

/// The result, line by line.
pub(super) fn lines(provider: &Provider, probe: &Probe) -> Vec<String> {
    let mut lines: Vec<String> = probe.calls.iter().map(call).collect();
    let Ok(good) = &probe.finding else {
        return lines;
    };
    if probe.calls.is_empty() {
        lines.push("built in: there is nothing to ask".to_owned());
    }
    if let Some(models) = &good.models {
        lines.push(models_line(models));
    }
    let end = if good.proven { "is good" } else { "answers" };
    lines.push(format!("provider `{}` {end}", provider.slug));
    lines
}

fn call(call: &Call) -> String {
    let Call {
        method,
        url,
        what,
        status,
        took,
    } = call;
    let milliseconds = took.as_millis();
    let outcome = match status {
        Some(status) => format!("{status} in {milliseconds} ms"),
        None => format!("no answer in {milliseconds} ms"),
    };
    format!("{method} {url} ({what}): {outcome}")
}

fn models_line(models: &[String]) -> String {
    let shown: Vec<&str> = models
        .iter()
        .take(MODELS_SHOWN)
        .map(String::as_str)
        .collect();
    let shown = shown.join(", ");
    match (models.len(), models.len().saturating_sub(MODELS_SHOWN)) {
        (0, _) => "no models".to_owned(),
        (1, _) => format!("1 model: {shown}"),
        (count, 0) => format!("{count} models: {shown}"),
        (count, more) => format!("{count} models: {shown} and {more} more"),
    }
}

/// Why it cannot be used, in one line, and what to do in another.
pub(super) fn failure(provider: &Provider, bad: &Bad) -> String {
    let (slug, what) = (&provider.slug, what(bad.fault));
    let said = match &bad.said {
        Some(said) => format!(": {said}"),
        None => String::new(),
    };
    format!(
        "provider `{slug}` {what}{said}\n  help: {}",
        help(provider, bad.fault)
    )
}

/// For programs.
pub(super) fn json(provider: &Provider, probe: &Probe) -> Value {
    let calls = probe.calls.iter().map(|call| {
        json!({
            "method": call.method,
            "url": call.url,
            "what": call.what,
            "status": call.status,
            "milliseconds": u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX),
        })
    });
    let calls: Vec<Value> = calls.collect();
    let (good, bad) = (probe.finding.as_ref().ok(), probe.finding.as_ref().err());
    json!({
        "provider": provider.slug,
        "kind": provider.kind.as_str(),
        "good": good.is_some(),
        "credential_proven": good.is_some_and(|good| good.proven),
        "calls": calls,
        "models": good.and_then(|good| good.models.as_ref()),
        "fault": bad.map(|bad| what(bad.fault)),
        "said": bad.and_then(|bad| bad.said.as_ref()),
        "help": bad.map(|bad| help(provider, bad.fault)),
    })
}

const fn what(fault: Fault) -> &'static str {
    match fault {
        Fault::Unreachable => "cannot be reached",
        Fault::Untrusted => "cannot be trusted",
        Fault::Silent => "does not answer in time",
        Fault::CutOff => "ended the connection before its answer did",
        Fault::NoCredential => "was not asked: its credential cannot be had",
        Fault::Refused => "refuses the credential",
        Fault::Forbidden => "knows the credential, which may not do this",
        Fault::Exhausted => "takes the credential, but has no credit or rate left for it",
        Fault::NotFound => "has no such endpoint",
        Fault::NotTheApi => "answers with something else than this API",
        Fault::Failing => "has a fault of its own",
        Fault::Rejected => "does not take the call",
    }
}

fn help(provider: &Provider, fault: Fault) -> &'static str {
    match fault {
        Fault::Unreachable => "check `base_url`, the network, and `proxy` of `[upstream]`",
        Fault::Untrusted => {
            "name the authority of its certificate with `ca_file`, or correct `base_url`"
        }
        Fault::Silent | Fault::CutOff => "try again; if it stays so, check `base_url`",
        Fault::NoCredential => "correct `credential` of this provider",
        Fault::Refused if provider.credential.is_none() => {
            "it has none: add `credential = { env = \"NAME\" }`"
        }
        Fault::Refused => {
            "make a valid one at the provider and put it where `tollgate config show` says this \
             one comes from"
        }
        Fault::Forbidden => "give the key, its project or its account the permission it lacks",
        Fault::Exhausted => "raise its limits or its credit at the provider",
        Fault::NotFound => {
            "check `base_url`; a server without a list of models shows with the first request \
             whether it works"
        }
        Fault::NotTheApi => "check `kind` and `base_url`: they lead somewhere else",
        Fault::Failing => "it is the provider's fault: try again later",
        Fault::Rejected => "check `kind` and `base_url`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_models_are_named_and_the_rest_is_counted() {
        let models = |count: usize| (1..=count).map(|n| format!("m{n}")).collect::<Vec<_>>();
        assert_eq!(models_line(&models(0)), "no models");
        assert_eq!(models_line(&models(1)), "1 model: m1");
        assert_eq!(models_line(&models(2)), "2 models: m1, m2");
        assert!(models_line(&models(20)).ends_with("m19, m20"));
        let many = models_line(&models(134));
        assert!(many.starts_with("134 models: m1, "), "{many}");
        assert!(many.ends_with("m19, m20 and 114 more"), "{many}");
    }
}
