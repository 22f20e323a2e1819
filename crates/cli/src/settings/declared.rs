//! What the file declares: the organisation and everything in it. Names are gathered first, so that
//! every reference is checked against all of them, those of entries with other faults included.

mod api_key;
mod provider;
mod routing_group;

use super::{
    limits,
    problem::{Complaint, Place, did_you_mean},
    reader::Table,
    text,
    value::Value,
};
use std::collections::{BTreeMap, BTreeSet};
use tollgate_core::{
    declared::{Declared, DeclaredMember, DeclaredOrganization, DeclaredProject},
    member::Role,
    route,
};

/// The names that references may use, and where each was declared.
#[derive(Default)]
struct Names {
    projects: BTreeMap<String, Place>,
    members: BTreeMap<String, Place>,
    providers: BTreeMap<String, Place>,
    /// Those of them that only make their answers up.
    simulated: BTreeSet<String>,
    /// Slugs of providers and routing groups: they share one name space.
    routes: BTreeMap<String, Place>,
}

/// A table and the name it declares, if that is good.
type Named<'a> = (Table<'a>, Option<String>);

/// Everything that is declared.
pub(super) fn read(root: &Table<'_>) -> Declared {
    let mut names = Names::default();
    let projects = name_all(root, "project", "slug", text::slug, &mut names.projects);
    let members = name_all(root, "member", "email", text::email, &mut names.members);
    let providers = name_all(
        root,
        "provider",
        "slug",
        text::route_slug,
        &mut names.routes,
    );
    names.providers.clone_from(&names.routes);
    let simulated = providers
        .iter()
        .filter(|(table, _)| provider::is_simulated(table));
    names.simulated = simulated.filter_map(|(_, slug)| slug.clone()).collect();
    let slug = text::route_slug;
    let groups = name_all(root, "routing_group", "slug", slug, &mut names.routes);
    Declared {
        organization: organization(root),
        projects: projects.into_iter().filter_map(project).collect(),
        members: members.into_iter().filter_map(member).collect(),
        providers: providers.into_iter().filter_map(provider::read).collect(),
        groups: groups
            .into_iter()
            .filter_map(|group| routing_group::read(group, &names))
            .collect(),
        api_keys: api_key::read_all(root, &names),
    }
}

/// The tables of an array, each with its name; a name that is taken is reported.
fn name_all<'a>(
    root: &Table<'a>,
    array: &str,
    key: &str,
    parse: impl Fn(&str) -> Result<String, Complaint>,
    taken: &mut BTreeMap<String, Place>,
) -> Vec<Named<'a>> {
    let mut name = |table: Table<'a>| {
        let value = table.value(key);
        let name = value.as_ref().and_then(|value| value.parse(&parse));
        if let (Some(value), Some(name)) = (value, &name) {
            take(name, &value, taken);
        }
        (table, name)
    };
    root.tables(array).into_iter().map(&mut name).collect()
}

/// Marks a name as taken, or reports that it already is.
fn take(name: &str, value: &Value<'_>, taken: &mut BTreeMap<String, Place>) {
    match taken.get(name) {
        Some(Place::File { line, .. }) => value.refuse(Complaint::new(
            format!("`{name}` is already declared in line {line}"),
            "give one of them another name",
        )),
        _ => {
            taken.insert(name.to_owned(), value.place.clone());
        }
    }
}

/// Reports a reference to a name that is not declared. `what` is what it should name.
fn check_reference(value: &Value<'_>, name: &str, what: &str, names: &BTreeMap<String, Place>) {
    if names.contains_key(name) {
        return;
    }
    let known = names.keys().map(String::as_str);
    let help = match did_you_mean(name, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if what == "route" => {
            "declare it in a `[[provider]]` or `[[routing_group]]` table".to_owned()
        }
        None => format!("declare it in a `[[{what}]]` table"),
    };
    value.refuse(Complaint::new(format!("there is no {what} `{name}`"), help));
}

fn organization(root: &Table<'_>) -> Option<DeclaredOrganization> {
    let table = root.table("organization");
    if !table.is_given() {
        return None;
    }
    let name = table.value("name").and_then(|value| value.name());
    let time_zone = table.value("time_zone");
    let time_zone = time_zone.and_then(|value| value.parse(text::time_zone));
    let limits = limits::read(&table);
    Some(DeclaredOrganization {
        name: name?,
        time_zone: time_zone?,
        limits,
    })
}

fn project((table, slug): Named<'_>) -> Option<DeclaredProject> {
    let limits = limits::read(&table);
    Some(DeclaredProject {
        slug: slug?,
        limits,
    })
}

fn member((table, email): Named<'_>) -> Option<DeclaredMember> {
    let roles = Role::ALL.map(|role| (role.as_str(), role));
    let role = table.value("role").and_then(|value| value.choice(&roles));
    let limits = limits::read(&table);
    Some(DeclaredMember {
        email: email?,
        role: role?,
        limits,
    })
}

/// Reports a route that no request can take.
fn check_route(value: &Value<'_>, slug: &str, names: &Names) {
    if route::alias_formats(slug).is_none() {
        check_reference(value, slug, "route", &names.routes);
    }
}
