//! `[[api_key]]`.

use super::{Names, check_reference, check_route};
use crate::settings::{
    limits,
    problem::Complaint,
    reader::Table,
    secret, text,
    value::{Given, Value},
};
use std::collections::BTreeSet;
use tollgate_core::{
    api_key::{SECRET_CHARS_MAX, SECRET_CHARS_MIN, is_well_formed},
    clock::Timestamp,
    declared::DeclaredApiKey,
    secret::Secret,
};
use toml::de::DeValue;

pub(super) fn read_all(root: &Table<'_>, names: &Names) -> Vec<DeclaredApiKey> {
    let mut keys: Vec<DeclaredApiKey> = Vec::new();
    let mut taken = BTreeSet::new();
    for table in root.tables("api_key") {
        let Some(key) = read(&table, names) else {
            continue;
        };
        if !taken.insert((key.project.clone(), key.name.clone())) {
            table.refuse(Complaint::new(
                format!("project `{}` already has a key `{}`", key.project, key.name),
                "give one of them another name",
            ));
        }
        let same = keys
            .iter()
            .find(|other| other.secret.is_some() && other.secret == key.secret);
        if let Some(other) = same {
            table.refuse(Complaint::new(
                format!("this is the same secret as that of `{}`", other.name),
                "give each key a secret of its own",
            ));
        }
        keys.push(key);
    }
    keys
}

fn read(table: &Table<'_>, names: &Names) -> Option<DeclaredApiKey> {
    let name = table.value("name").and_then(|value| value.name());
    let project = table.value("project");
    let project = project.and_then(|value| {
        let slug = value.name()?;
        check_reference(&value, &slug, "project", &names.projects);
        Some(slug)
    });
    let member = table.value("member").map(|value| {
        let email = value.parse(text::email)?;
        check_reference(&value, &email, "member", &names.members);
        Some(email)
    });
    let secret = secret::read(table, "key");
    let secret = secret.filter(|secret| is_usable(table, secret));
    let expires_at = table.value("expires_at").map(|value| expiry(&value));
    let allowed_routes = strings(table, "routes", |value, slug| {
        check_route(value, slug, names);
    });
    let allowed_models = strings(table, "models", |_, _| {});
    let limits = limits::read(table);
    Some(DeclaredApiKey {
        name: name?,
        project: project?,
        member: match member {
            Some(member) => Some(member?),
            None => None,
        },
        secret,
        expires_at: match expires_at {
            Some(expires_at) => Some(expires_at?),
            None => None,
        },
        allowed_routes,
        allowed_models,
        limits,
    })
}

fn is_usable(table: &Table<'_>, secret: &Secret) -> bool {
    let is_usable = is_well_formed(secret.expose());
    if !is_usable {
        let length = secret.expose().len();
        let complaint = if (SECRET_CHARS_MIN..=SECRET_CHARS_MAX).contains(&length) {
            Complaint::new(
                "this key begins with `tgk_` but its check characters are wrong",
                "copy it again, or let Tollgate make one: take `key` out",
            )
        } else {
            Complaint::new(
                format!("this key has {length} characters"),
                format!("use {SECRET_CHARS_MIN} to {SECRET_CHARS_MAX}, chosen at random"),
            )
        };
        if let Some(table) = table.secret_table("key") {
            table.refuse(complaint);
        }
    }
    is_usable
}

/// A date of TOML is as good as a string.
fn expiry(value: &Value<'_>) -> Option<Timestamp> {
    if let Given::Toml(DeValue::Datetime(datetime)) = value.given {
        return match text::timestamp(&datetime.to_string()) {
            Ok(timestamp) => Some(timestamp),
            Err(complaint) => {
                value.refuse(complaint);
                None
            }
        };
    }
    value.parse(text::timestamp)
}

fn strings(table: &Table<'_>, name: &str, check: impl Fn(&Value<'_>, &str)) -> Vec<String> {
    let elements = table.value(name).map(|value| value.elements());
    let strings = elements.into_iter().flatten().filter_map(|value| {
        let text = value.name()?;
        check(&value, &text);
        Some(text)
    });
    strings.collect()
}
