use super::*;
use tollgate_core::{
    clock::Timestamp,
    entropy::FixedEntropy,
    id::{OrganizationId, ProjectId, ProviderId, RoutingGroupId},
    organization::Organization,
    principal::Ids,
    provider::{OnClientGone, ProviderKind, ReportCost, UnpricedPolicy},
};
use tollgate_wire::{endpoint::Endpoint, facts};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn provider(number: u8, slug: &str, kind: ProviderKind) -> Arc<Provider> {
    Arc::new(Provider {
        id: ProviderId::new(NOW, &FixedEntropy(number)),
        slug: slug.to_owned(),
        kind,
        base_url: "http://127.0.0.1:1".to_owned(),
        credential: None,
        unpriced: UnpricedPolicy::Refuse,
        report_cost: ReportCost::Header,
        on_client_gone: OnClientGone::Cancel,
        prices: vec![],
        cancel_stops_billing: true,
        forward_trace: false,
    })
}

fn org(providers: Vec<Arc<Provider>>, groups: Vec<RoutingGroup>) -> OrganizationSnapshot {
    OrganizationSnapshot {
        organization: Organization {
            id: OrganizationId::new(NOW, &FixedEntropy(0)),
            name: "Acme".to_owned(),
            time_zone: jiff::tz::TimeZone::UTC,
        },
        projects: [].into(),
        members: [].into(),
        providers: providers
            .into_iter()
            .map(|provider| (provider.id, provider))
            .collect(),
        groups: groups
            .into_iter()
            .map(|group| (group.slug.clone(), group))
            .collect(),
        limits: [].into(),
    }
}

fn caller(routes: &[&str], models: &[&str]) -> Principal {
    Principal {
        ids: Ids {
            organization: OrganizationId::new(NOW, &FixedEntropy(0)),
            project: ProjectId::new(NOW, &FixedEntropy(0)),
            member: None,
            api_key: None,
            session: None,
        },
        key_name: String::new(),
        project_slug: String::new(),
        allowed_routes: routes.iter().map(|route| (*route).to_owned()).collect(),
        allowed_models: models.iter().map(|model| (*model).to_owned()).collect(),
    }
}

fn slugs(
    org: &OrganizationSnapshot,
    principal: &Principal,
    route: &str,
    draws: &[u32],
) -> Result<Vec<String>, (Kind, String)> {
    let mut draws = draws.iter().copied();
    let wanted = Wanted {
        route,
        format: Format::OpenAiChat,
        model: "gpt-5.2",
        other_models: &[],
    };
    plan(org, principal, wanted, &mut |_| draws.next().unwrap_or(0))
        .map(|plan| {
            plan.iter()
                .map(|a| format!("{}:{}", a.provider.slug, a.model))
                .collect()
        })
        .map_err(|error| (error.kind(), error.message().to_owned()))
}

#[test]
fn a_group_is_ordered_by_priority_then_by_weight() {
    let (a, b, c, d) = (
        provider(1, "a", ProviderKind::OpenAi),
        provider(2, "b", ProviderKind::OpenAi),
        provider(3, "c", ProviderKind::OpenAiCompatible),
        provider(4, "d", ProviderKind::Anthropic),
    );
    let target = |p: &Arc<Provider>, priority, weight, models: &[(&str, &str)]| Target {
        provider: p.id,
        priority,
        weight,
        models: models
            .iter()
            .map(|(x, y)| ((*x).to_owned(), (*y).to_owned()))
            .collect(),
    };
    let group = RoutingGroup {
        id: RoutingGroupId::new(NOW, &FixedEntropy(9)),
        slug: "fast".to_owned(),
        targets: vec![
            target(&c, 1, 1, &[("gpt-5.2", "llama")]),
            target(&a, 0, 3, &[]),
            target(&b, 0, 1, &[]),
            target(&d, 0, 9, &[]),
        ],
    };
    let org = org(vec![a, b, c, d], vec![group]);
    let any = caller(&[], &[]);
    let in_order = |draw: u32| slugs(&org, &any, "fast", &[draw]).unwrap();
    assert_eq!(in_order(0), ["a:gpt-5.2", "b:gpt-5.2", "c:llama"]);
    assert_eq!(in_order(2), ["a:gpt-5.2", "b:gpt-5.2", "c:llama"]);
    assert_eq!(in_order(3), ["b:gpt-5.2", "a:gpt-5.2", "c:llama"]);
}

#[test]
fn an_alias_means_the_only_provider_of_its_format() {
    let one = org(
        vec![
            provider(1, "mine", ProviderKind::OpenAi),
            provider(2, "theirs", ProviderKind::Anthropic),
        ],
        vec![],
    );
    let any = caller(&[], &[]);
    assert_eq!(slugs(&one, &any, "chat", &[]).unwrap(), ["mine:gpt-5.2"]);
    assert_eq!(slugs(&one, &any, "mine", &[]).unwrap(), ["mine:gpt-5.2"]);
    let two = org(
        vec![
            provider(1, "one", ProviderKind::OpenAi),
            provider(2, "two", ProviderKind::OpenAiCompatible),
        ],
        vec![],
    );
    let (kind, text) = slugs(&two, &any, "openai", &[]).unwrap_err();
    assert_eq!(kind, Kind::UnknownRoute);
    assert!(text.ends_with("name one of one, two"), "{text}");
}

#[test]
fn what_is_unknown_or_not_allowed_is_404_and_says_what_is() {
    let org = org(vec![provider(1, "mine", ProviderKind::OpenAi)], vec![]);
    let (kind, text) = slugs(&org, &caller(&[], &[]), "nowhere", &[]).unwrap_err();
    assert_eq!(kind.status(), 404);
    assert!(text.contains("routes here: mine"), "{text}");
    let (kind, text) = slugs(&org, &caller(&["other"], &[]), "mine", &[]).unwrap_err();
    assert_eq!(
        (kind, text.contains("allowed: other")),
        (Kind::UnknownRoute, true)
    );
    let (kind, text) = slugs(&org, &caller(&[], &["gpt-4o"]), "mine", &[]).unwrap_err();
    assert_eq!(
        (kind, text.contains("allowed: gpt-4o")),
        (Kind::UnknownModel, true)
    );
}

#[test]
fn a_model_that_only_a_tool_names_must_be_allowed_too() {
    let org = org(vec![provider(1, "mine", ProviderKind::Anthropic)], vec![]);
    let body = br#"{"model":"claude-haiku-4-5","max_tokens":8,"messages":[],
        "tools":[{"type":"advisor_20260301","name":"advisor","model":"claude-opus-4-5"}]}"#;
    let endpoint = Endpoint::of(&http::Method::POST, "/v1/messages", None).unwrap();
    let facts = facts::read(&endpoint, None, body).unwrap();
    let wanted = Wanted {
        route: "mine",
        format: endpoint.format,
        model: &facts.model,
        other_models: &facts.other_models,
    };
    let planned = |allowed: &[&str]| plan(&org, &caller(&[], allowed), wanted, &mut |_| 0);
    let error = planned(&["claude-haiku-4-5"]).unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownModel);
    assert_eq!(
        error.message(),
        "the model `claude-opus-4-5` is not allowed for this API key; allowed: claude-haiku-4-5"
    );
    assert!(planned(&["claude-haiku-4-5", "claude-opus-4-5"]).is_ok());
    assert!(planned(&[]).is_ok());
}
