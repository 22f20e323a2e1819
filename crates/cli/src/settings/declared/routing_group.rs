//! `[[routing_group]]`.

use super::{Named, Names, check_reference};
use crate::settings::{problem::Complaint, reader::Table, value::Value};
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
    let targets = elements.iter().filter_map(|element| target(element, names));
    let targets = targets.collect();
    Some(DeclaredGroup {
        slug: slug?,
        targets,
        time_budget: None,
    })
}

fn target(table: &Table<'_>, names: &Names) -> Option<DeclaredTarget> {
    let value = table.value("provider");
    let provider = value.as_ref().and_then(Value::name);
    if let (Some(value), Some(provider)) = (value, &provider) {
        check_reference(&value, provider, "provider", &names.providers);
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
    Some(DeclaredTarget {
        provider: provider?,
        priority: priority?,
        weight: weight?,
        models,
    })
}
