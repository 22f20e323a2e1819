//! `[[routing_group]]`.

use super::{Named, Names, check_reference};
use crate::settings::{problem::Complaint, process::timeout, reader::Table, value::Value};
use tollgate_core::declared::{DeclaredGroup, DeclaredTarget};
use toml::de::DeValue;

pub(super) fn read((table, slug): Named<'_>, names: &Names) -> Option<DeclaredGroup> {
    let elements = table.tables("targets");
    let is_empty_array = |value: &DeValue<'_>| value.as_array().is_some_and(|a| a.is_empty());
    if table
        .written("targets")
        .is_some_and(|(_, value)| is_empty_array(value))
    {
        let help = "add at least one: `{ provider = \"slug\" }`";
        table.refuse_absent("targets", Complaint::new("there is no target", help));
    }
    let mut targets = Vec::new();
    for element in &elements {
        let Some((target, provider)) = target(element, names) else {
            continue;
        };
        check_company(&provider, &target, &targets, names);
        targets.push(target);
    }
    let time_budget = timeout(&table, "time_budget");
    Some(DeclaredGroup {
        slug: slug?,
        targets,
        time_budget,
    })
}

/// Reports a target that cannot stand beside those before it. `provider` is the value that names
/// its provider.
fn check_company(
    provider: &Value<'_>,
    target: &DeclaredTarget,
    earlier: &[DeclaredTarget],
    names: &Names,
) {
    let (slug, priority) = (&target.provider, target.priority);
    let is_same = |other: &DeclaredTarget| (&other.provider, other.priority) == (slug, priority);
    if earlier.iter().any(is_same) {
        provider.refuse(Complaint::new(
            format!("`{slug}` already stands in priority {priority}"),
            "take one of the two out, or give it another priority",
        ));
    }
    let is_simulated = names.simulated.contains(slug);
    let differs = |other: &&DeclaredTarget| {
        let other = names.simulated.contains(&other.provider);
        other != is_simulated
    };
    if let Some(DeclaredTarget {
        provider: other, ..
    }) = earlier.iter().find(differs)
    {
        provider.refuse(Complaint::new(
            format!("`{slug}` cannot stand beside `{other}`: one of them makes its answers up"),
            "give the simulated provider a group of its own: nothing falls back to it",
        ));
    }
}

/// A target, and the value that names its provider.
fn target<'a>(table: &Table<'a>, names: &Names) -> Option<(DeclaredTarget, Value<'a>)> {
    let value = table.value("provider");
    let provider = value.as_ref().and_then(Value::name);
    if let (Some(value), Some(provider)) = (&value, &provider) {
        check_reference(value, provider, "provider", &names.providers);
    }
    let number = |name| {
        let number = table.value(name)?.integer(&(0..=i64::from(u32::MAX)))?;
        u32::try_from(number).ok()
    };
    let (priority, weight) = (number("priority"), number("weight"));
    let models = table.free_entries("models").into_iter();
    let models = models.filter_map(|(asked, value)| {
        value.remember();
        Some((asked, value.name()?))
    });
    let models = models.collect();
    let target = DeclaredTarget {
        provider: provider?,
        priority: priority?,
        weight: weight?,
        models,
    };
    Some((target, value?))
}
