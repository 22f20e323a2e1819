//! `credential` of a provider: one flat table, whose `placement` says which of its keys count.

use crate::settings::{problem::Complaint, reader::Table, secret, text};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::{
    provider::{Credential, CredentialPlacement, Entra, ProviderKind, ServiceAccount, SigningKeys},
    secret::Secret,
};

/// What a credential is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Placed(CredentialPlacement),
    AwsKeys,
    AwsChain,
    GoogleServiceAccount,
    GoogleDefault,
    Entra,
}

/// The forms with a word of their own.
const FORMS: [(&str, Form); 5] = [
    ("aws-keys", Form::AwsKeys),
    ("aws-chain", Form::AwsChain),
    ("google-service-account", Form::GoogleServiceAccount),
    ("google-default", Form::GoogleDefault),
    ("entra", Form::Entra),
];

const SOURCES: [&str; 3] = ["env", "file", "value"];
const OF_AWS_KEYS: [&str; 2] = ["access_key_id", "session_token"];
const OF_ENTRA: [&str; 3] = ["tenant_id", "client_id", "authority"];

/// The credential, if the table has one; `None` also after a report.
pub(super) fn read(provider: &Table<'_>, kind: Option<ProviderKind>) -> Option<Credential> {
    let table = provider.secret_table("credential")?;
    let placement = table.value("placement");
    let form = match &placement {
        Some(value) => value.parse(parse_form),
        None => kind.map(default_form),
    }?;
    if let Some(value) = &placement
        && let Err(complaint) = check_kind(&form, kind)
    {
        value.refuse(complaint);
        return None;
    }
    report_strays(&table, &form);
    match form {
        Form::Placed(placement) => Some(Credential::Placed {
            placement,
            secret: secret::in_header(&table)?,
        }),
        Form::AwsKeys => aws_keys(&table).map(Credential::Aws),
        Form::AwsChain => Some(Credential::AwsChain),
        Form::GoogleServiceAccount => service_account(&table).map(Credential::GoogleServiceAccount),
        Form::GoogleDefault => Some(Credential::GoogleDefault),
        Form::Entra => entra(&table).map(Credential::Entra),
    }
}

/// What a secret without a placement is.
fn default_form(kind: ProviderKind) -> Form {
    match kind {
        ProviderKind::GoogleVertex => Form::GoogleServiceAccount,
        other => Form::Placed(CredentialPlacement::default_for(other)),
    }
}

fn parse_form(text: &str) -> Result<Form, Complaint> {
    if let Some((_, form)) = FORMS.iter().find(|(word, _)| *word == text) {
        return Ok(form.clone());
    }
    let named = |name: &str| {
        let is_token = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        (is_token && !name.is_empty()).then(|| name.to_owned())
    };
    let placement = match text.split_once(':') {
        None if text == "bearer" => Some(CredentialPlacement::Bearer),
        Some(("header", name)) => {
            named(name).map(|name| CredentialPlacement::Header(name.to_ascii_lowercase()))
        }
        Some(("query", name)) => named(name).map(CredentialPlacement::Query),
        _ => None,
    };
    placement.map(Form::Placed).ok_or_else(|| {
        let words = FORMS.map(|(word, _)| format!("`{word}`")).join(", ");
        Complaint::new(
            format!("unknown placement `{text}`"),
            format!("write `bearer`, `header:NAME`, `query:NAME`, or one of {words}"),
        )
    })
}

/// Whether a form means anything to this kind of provider.
fn check_kind(form: &Form, kind: Option<ProviderKind>) -> Result<(), Complaint> {
    let kinds: &[ProviderKind] = match form {
        Form::Placed(_) => return Ok(()),
        Form::AwsKeys | Form::AwsChain => &[ProviderKind::Bedrock, ProviderKind::BedrockMantle],
        Form::GoogleServiceAccount | Form::GoogleDefault => &[ProviderKind::GoogleVertex],
        Form::Entra => &[ProviderKind::Azure],
    };
    if kind.is_none_or(|kind| kinds.contains(&kind)) {
        return Ok(());
    }
    let kinds: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
    Err(Complaint::new(
        format!("this placement is for `{}`", kinds.join("` and `")),
        "take the key out, or write `bearer`, `header:NAME` or `query:NAME`",
    ))
}

/// Reports keys that this form has no use for.
fn report_strays(table: &Table<'_>, form: &Form) {
    let uses: &[&str] = match form {
        Form::Placed(_) | Form::GoogleServiceAccount => &[],
        Form::AwsKeys => &OF_AWS_KEYS,
        Form::Entra => &OF_ENTRA,
        Form::AwsChain | Form::GoogleDefault => {
            let help = "take it out: this credential is found by itself";
            refuse_all(table, &SOURCES, help);
            &[]
        }
    };
    for (keys, word) in [(&OF_AWS_KEYS[..], "aws-keys"), (&OF_ENTRA[..], "entra")] {
        if keys != uses {
            let help = format!("write `placement = \"{word}\"` too, or take the key out");
            refuse_all(table, keys, &help);
        }
    }
}

fn refuse_all(table: &Table<'_>, keys: &[&str], help: &str) {
    for key in keys {
        if table.written(key).is_some() {
            let message = "this key has no place in a credential of this form";
            table.refuse_key(key, Complaint::new(message, help));
        }
    }
}

fn aws_keys(table: &Table<'_>) -> Option<SigningKeys> {
    let access_key_id = needed(table, "access_key_id", "AKIA…");
    let secret_access_key = secret::in_header(table);
    let session_token = match table.written("session_token") {
        Some(_) => Some(secret::read(table, "session_token")?),
        None => None,
    };
    Some(SigningKeys {
        access_key_id: access_key_id?,
        secret_access_key: secret_access_key?,
        session_token,
    })
}

fn entra(table: &Table<'_>) -> Option<Entra> {
    let tenant_id = needed(table, "tenant_id", "…");
    let client_id = needed(table, "client_id", "…");
    let client_secret = secret::in_header(table);
    let authority = table.value("authority").and_then(|value| {
        let url = value.parse(text::base_url)?;
        if text::is_clear_text(&url) {
            value.warn(
                "the client secret goes over the network in the clear",
                "use `https://`",
            );
        }
        Some(text::url_text(&url))
    });
    Some(Entra {
        tenant_id: tenant_id?,
        client_id: client_id?,
        client_secret: client_secret?,
        authority: authority?,
    })
}

/// A key that this form cannot do without: it stands in URLs and signatures.
fn needed(table: &Table<'_>, key: &str, example: &str) -> Option<String> {
    if let Some(value) = table.value(key) {
        return value.parse(|text| text::plain(text, "-_."));
    }
    let help = format!("add `{key} = \"{example}\"`");
    table.refuse_absent(key, Complaint::new("this key is missing", help));
    None
}

/// What must stand in a service account's key file, as written there: nothing is copied.
#[derive(Deserialize)]
struct KeyFile<'a> {
    #[serde(borrow)]
    client_email: Option<&'a RawValue>,
    #[serde(borrow)]
    private_key: Option<&'a RawValue>,
    #[serde(borrow)]
    token_uri: Option<&'a RawValue>,
}

fn service_account(table: &Table<'_>) -> Option<ServiceAccount> {
    let key_json = secret::of_any_lines(table)?;
    match check_key_file(&key_json) {
        Ok(()) => Some(ServiceAccount { key_json }),
        Err(message) => {
            let help = "give the JSON file that Google Cloud made with the key, whole; other \
                        kinds of credentials go by `placement = \"google-default\"`, an API key \
                        by `placement = \"header:x-goog-api-key\"`";
            table.refuse(Complaint::new(message, help));
            None
        }
    }
}

/// What is wrong, in words that repeat nothing of it.
fn check_key_file(key_json: &Secret) -> Result<(), String> {
    let file: KeyFile<'_> = serde_json::from_str(key_json.expose())
        .map_err(|_| "this is not the JSON of a service account's key file")?;
    for (name, field, start) in [
        ("client_email", file.client_email, ""),
        ("private_key", file.private_key, "-----BEGIN "),
        ("token_uri", file.token_uri, "http"),
    ] {
        let text = field.and_then(|field| field.get().strip_prefix('"'));
        match text {
            None | Some("\"") => {
                return Err(format!("this service account's key file has no `{name}`"));
            }
            Some(text) if !text.starts_with(start) => {
                return Err(format!(
                    "the `{name}` of this key file does not begin with `{start}`"
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}
