use super::*;
use tollgate_core::{
    clock::Timestamp,
    entropy::FixedEntropy,
    id::{OrganizationId, ProjectId, RoutingGroupId},
    organization::Organization,
    principal::Ids,
    provider::{Connection, OnClientGone, ProviderKind, ReportCost, Site, UnpricedPolicy},
    route::{RoutingGroup, Target},
};
use tollgate_wire::{endpoint::Endpoint, facts};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

pub(crate) fn provider(number: u8, slug: &str, kind: ProviderKind) -> Arc<Provider> {
    Arc::new(Provider {
        id: ProviderId::new(NOW, &FixedEntropy(number)),
        slug: slug.to_owned(),
        kind,
        base_url: "http://127.0.0.1:1".to_owned(),
        site: Site::default(),
        credential: None,
        connection: Connection::default(),
        unpriced: UnpricedPolicy::Refuse,
        report_cost: ReportCost::Header,
        on_client_gone: OnClientGone::Cancel,
        prices: vec![],
        cancel_stops_billing: true,
        allow_deferred: false,
        forward_trace: false,
    })
}

pub(super) fn org(providers: &[Arc<Provider>], groups: Vec<RoutingGroup>) -> OrganizationSnapshot {
    OrganizationSnapshot {
        organization: Organization {
            id: OrganizationId::new(NOW, &FixedEntropy(0)),
            name: "Acme".to_owned(),
            time_zone: jiff::tz::TimeZone::UTC,
        },
        projects: [].into(),
        members: [].into(),
        providers: providers
            .iter()
            .map(|provider| (provider.id, Arc::clone(provider)))
            .collect(),
        groups: groups
            .into_iter()
            .map(|group| (group.slug.clone(), group))
            .collect(),
        limits: [].into(),
    }
}

/// A group `fast` of these targets: provider, priority, weight.
pub(super) fn group(targets: &[(&Arc<Provider>, u32, u32)]) -> RoutingGroup {
    RoutingGroup {
        id: RoutingGroupId::new(NOW, &FixedEntropy(9)),
        slug: "fast".to_owned(),
        targets: targets
            .iter()
            .map(|(provider, priority, weight)| Target {
                provider: provider.id,
                priority: *priority,
                weight: *weight,
                models: vec![],
            })
            .collect(),
        time_budget: None,
    }
}

pub(crate) fn caller(routes: &[&str], models: &[&str]) -> Principal {
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

pub(super) fn chat(route: &str) -> Wanted<'_> {
    Wanted {
        operation: Operation::Generate,
        route,
        format: Format::OpenAiChat,
        model: "gpt-5.2",
        other_models: &[],
        lives_at: None,
    }
}

/// Where a request goes, in order: slug and model. Everybody is in, and all draws are the same.
fn routed(
    org: &OrganizationSnapshot,
    principal: &Principal,
    wanted: Wanted<'_>,
) -> Result<Vec<String>, (Kind, String)> {
    let mut chance = Chance {
        affinity: None,
        draw: &mut || 0,
        out_until: &|_| None,
    };
    route(org, principal, wanted, &mut chance)
        .map(|route| {
            let attempts = route.attempts.iter();
            attempts
                .map(|a| format!("{}:{}", a.provider.slug, a.model))
                .collect()
        })
        .map_err(|error| (error.kind(), error.message().to_owned()))
}

fn anybody() -> Principal {
    caller(&[], &[])
}

#[test]
fn each_target_gets_the_model_by_the_name_it_has_there() {
    let a = provider(1, "a", ProviderKind::OpenAi);
    let b = provider(2, "b", ProviderKind::OpenAiCompatible);
    let mut fast = group(&[(&a, 0, 1), (&b, 1, 1)]);
    if let Some(target) = fast.targets.last_mut() {
        target.models = vec![("gpt-5.2".to_owned(), "llama".to_owned())];
    }
    let org = org(&[a, b], vec![fast]);
    let attempts = routed(&org, &anybody(), chat("fast"));
    assert_eq!(attempts.unwrap(), ["a:gpt-5.2", "b:llama"]);
}

#[test]
fn a_group_is_told_target_by_target_why_nobody_can_serve() {
    let a = provider(1, "a", ProviderKind::Anthropic);
    let s = provider(2, "s", ProviderKind::Simulated);
    let fast = group(&[(&a, 0, 1), (&s, 1, 1)]);
    let org = org(&[a, s], vec![fast]);
    let (kind, text) = routed(&org, &anybody(), chat("fast")).unwrap_err();
    assert_eq!(kind, Kind::UnknownRoute);
    assert_eq!(
        text,
        "no target of the routing group `fast` can serve openai.chat: `a` (anthropic) does not \
         speak openai.chat; `s` is simulated, and nothing falls back to that; use another route \
         or endpoint"
    );
}

#[test]
fn a_group_of_simulated_providers_alone_serves() {
    let s = provider(2, "s", ProviderKind::Simulated);
    let fast = group(&[(&s, 0, 1)]);
    let org = org(&[s], vec![fast]);
    let attempts = routed(&org, &anybody(), chat("fast"));
    assert_eq!(attempts.unwrap(), ["s:gpt-5.2"]);
}

#[test]
fn an_alias_means_the_only_provider_at_home_in_its_dialect() {
    // All of them take chat; one is at home in it.
    let several = [
        provider(1, "mine", ProviderKind::OpenAi),
        provider(2, "bedrock-eu", ProviderKind::Bedrock),
        provider(3, "gemini-eu", ProviderKind::GoogleGemini),
        provider(4, "simulated", ProviderKind::Simulated),
    ];
    let org = org(&several, vec![]);
    assert_eq!(
        routed(&org, &anybody(), chat("chat")).unwrap(),
        ["mine:gpt-5.2"]
    );
    // Another dialect's home takes chat too.
    let gemini = routed(&org, &anybody(), chat("gemini"));
    assert_eq!(gemini.unwrap(), ["gemini-eu:gpt-5.2"]);
    let messages = Wanted {
        format: Format::AnthropicMessages,
        ..chat("anthropic")
    };
    // Nobody is at home, and one speaks it.
    let only = routed(&org, &anybody(), messages);
    assert_eq!(only.unwrap(), ["bedrock-eu:gpt-5.2"]);
    let elsewhere = Wanted {
        route: "groq",
        ..messages
    };
    let (_, text) = routed(&org, &anybody(), elsewhere).unwrap_err();
    assert!(
        text.starts_with("no route `groq` for anthropic.messages"),
        "{text}"
    );
}

#[test]
fn an_alias_of_several_names_the_choices() {
    let two = [
        provider(1, "two", ProviderKind::OpenAi),
        provider(2, "one", ProviderKind::OpenAiCompatible),
        provider(3, "gemini-eu", ProviderKind::GoogleGemini),
    ];
    let org = org(&two, vec![]);
    let (kind, text) = routed(&org, &anybody(), chat("openai")).unwrap_err();
    assert_eq!(kind, Kind::UnknownRoute);
    assert!(text.ends_with("name one of one, two"), "{text}");
}

#[test]
fn the_simulated_provider_stands_under_an_alias_only_when_it_is_alone() {
    let s = provider(1, "simulated", ProviderKind::Simulated);
    let alone = org(&[Arc::clone(&s)], vec![]);
    let attempts = routed(&alone, &anybody(), chat("openai"));
    assert_eq!(attempts.unwrap(), ["simulated:gpt-5.2"]);
    let beside = org(&[s, provider(2, "a", ProviderKind::Anthropic)], vec![]);
    assert!(routed(&beside, &anybody(), chat("openai")).is_err());
}

#[test]
fn a_request_about_stored_objects_goes_where_they_live() {
    let a = provider(1, "a", ProviderKind::OpenAi);
    let b = provider(2, "b", ProviderKind::OpenAi);
    let fast = group(&[(&a, 0, 1), (&b, 1, 1)]);
    let home = b.id;
    let org = org(&[a, b], vec![fast]);
    let wanted = |route| Wanted {
        lives_at: Some(home),
        ..chat(route)
    };
    assert_eq!(
        routed(&org, &anybody(), wanted("fast")).unwrap(),
        ["b:gpt-5.2"]
    );
    let (kind, text) = routed(&org, &anybody(), wanted("a")).unwrap_err();
    assert_eq!(kind, Kind::UnknownRoute);
    assert!(text.contains("does not lead to"), "{text}");
}

#[test]
fn what_is_unknown_or_not_allowed_is_404_and_says_what_is() {
    let org = org(&[provider(1, "mine", ProviderKind::OpenAi)], vec![]);
    let (kind, text) = routed(&org, &anybody(), chat("nowhere")).unwrap_err();
    assert_eq!(kind.status(), 404);
    assert!(text.contains("routes here: mine"), "{text}");
    let (kind, text) = routed(&org, &caller(&["other"], &[]), chat("mine")).unwrap_err();
    assert_eq!(
        (kind, text.contains("allowed: other")),
        (Kind::UnknownRoute, true)
    );
    let (kind, text) = routed(&org, &caller(&[], &["gpt-4o"]), chat("mine")).unwrap_err();
    assert_eq!(
        (kind, text.contains("allowed: gpt-4o")),
        (Kind::UnknownModel, true)
    );
}

#[test]
fn a_model_that_only_a_tool_names_must_be_allowed_too() {
    let org = org(&[provider(1, "mine", ProviderKind::Anthropic)], vec![]);
    let body = br#"{"model":"claude-haiku-4-5","max_tokens":8,"messages":[],
        "tools":[{"type":"advisor_20260301","name":"advisor","model":"claude-opus-4-5"}]}"#;
    let headers = http::HeaderMap::new();
    let endpoint = Endpoint::of(&http::Method::POST, "/v1/messages", None, &headers).unwrap();
    let facts = facts::read(&endpoint, None, body).unwrap();
    let wanted = Wanted {
        operation: Operation::Generate,
        route: "mine",
        format: endpoint.format,
        model: &facts.model,
        other_models: &facts.other_models,
        lives_at: None,
    };
    let planned = |allowed: &[&str]| routed(&org, &caller(&[], allowed), wanted);
    let (kind, text) = planned(&["claude-haiku-4-5"]).unwrap_err();
    assert_eq!(kind, Kind::UnknownModel);
    assert_eq!(
        text,
        "the model `claude-opus-4-5` is not allowed for this API key; allowed: claude-haiku-4-5"
    );
    assert!(planned(&["claude-haiku-4-5", "claude-opus-4-5"]).is_ok());
    assert!(planned(&[]).is_ok());
}
