use super::*;
use crate::{
    Store,
    testing::{DeclaredKey, World, declared, ids_of_key, provision, record},
};
use tollgate_core::{clock::Timestamp, id::OrganizationId, principal::Ids};

async fn keep(store: &Store, records: &[UsageRecord]) {
    let mut tx = store.database.write().await.unwrap();
    insert(&mut tx, records.iter().map(values).collect())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

fn asked(organization: OrganizationId, by: Grouping) -> SpendQuery {
    SpendQuery {
        organization,
        since: Timestamp::UNIX_EPOCH,
        until: Timestamp::MAX,
        project: None,
        member: None,
        api_key: None,
        by,
    }
}

/// Three requests of one key, two days apart, one of another key, one simulated.
async fn world_with_usage() -> (World, std::sync::Arc<Store>, Ids, Ids) {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    store.create_api_key(&DeclaredKey::own("ci")).await.unwrap();
    let personal = ids_of_key(&store, "Quick Start").await;
    let ci = ids_of_key(&store, "ci").await;
    let mut records = Vec::new();
    for (ids, cost) in [(personal, 100), (personal, 200), (ci, 4_000)] {
        let mut record = record(&world.settled(ids, cost));
        record.usage.set(Unit::InputTokens, 1_000);
        record.usage.set(Unit::OutputTokens, 50);
        records.push(record);
        world.clock.advance(std::time::Duration::from_hours(24));
    }
    records[1].model_answered = None;
    records[1].flags.add(RecordFlags::ESTIMATED);
    records[2].abandoned_cost = NanoUsd::from_nano(3_000);
    let mut simulated = record(&world.settled(ci, 1_000_000));
    simulated.flags.add(RecordFlags::SIMULATED);
    records.push(simulated);
    keep(&store, &records).await;
    (world, store, personal, ci)
}

async fn spent(store: &Store, asked: SpendQuery) -> Vec<(String, i64, u64)> {
    let lines = store.spend(&asked).await.unwrap();
    lines
        .into_iter()
        .map(|line| (line.name, line.cost.as_nano(), line.requests))
        .collect()
}

fn line(name: &str, cost: i64, requests: u64) -> (String, i64, u64) {
    (name.to_owned(), cost, requests)
}

#[tokio::test]
async fn spend_adds_up_by_every_grouping_and_leaves_out_the_simulated() {
    let (_world, store, ids, _) = world_with_usage().await;
    let by = async |grouping| spent(&store, asked(ids.organization, grouping)).await;
    assert_eq!(by(Grouping::Project).await, [line("support-bot", 4_300, 3)]);
    assert_eq!(
        by(Grouping::Member).await,
        [line("", 4_000, 1), line("dev@example.com", 300, 2)]
    );
    assert_eq!(
        by(Grouping::ApiKey).await,
        [
            line("support-bot / ci", 4_000, 1),
            line("support-bot / Quick Start", 300, 2)
        ]
    );
    assert_eq!(
        by(Grouping::Model).await,
        [
            line("gpt-5.2-2026-09-01", 4_100, 2),
            line("gpt-5.2", 200, 1)
        ]
    );
    assert_eq!(by(Grouping::Provider).await, [line("openai", 4_300, 3)]);
    assert_eq!(
        by(Grouping::Day).await,
        [
            line("2026-11-21", 100, 1),
            line("2026-11-22", 200, 1),
            line("2026-11-23", 4_000, 1)
        ]
    );
    let total = store
        .spend(&asked(ids.organization, Grouping::Project))
        .await
        .unwrap();
    assert_eq!(
        (total[0].input_tokens, total[0].output_tokens),
        (3_000, 150)
    );
    assert_eq!(total[0].uncertain, 1);
    assert_eq!(total[0].abandoned_cost.as_nano(), 3_000);
}

#[tokio::test]
async fn reports_are_narrowed_by_time_and_owner() {
    let (_world, store, ids, ci) = world_with_usage().await;
    let mut query = asked(ids.organization, Grouping::Day);
    query.since = "2026-11-22T00:00:00Z".parse().unwrap();
    query.until = "2026-11-23T00:00:00Z".parse().unwrap();
    assert_eq!(spent(&store, query).await, [line("2026-11-22", 200, 1)]);

    let mut query = asked(ids.organization, Grouping::Project);
    query.api_key = ci.api_key;
    assert_eq!(spent(&store, query).await, [line("support-bot", 4_000, 1)]);
    query.member = ids.member;
    assert_eq!(spent(&store, query).await, []);
}

#[tokio::test]
async fn a_record_reads_back_whole_and_the_first_one_of_a_request_stays() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let ids = ids_of_key(&store, "Quick Start").await;
    let mut kept = record(&world.settled(ids, 77));
    kept.first_byte_at = Some(world.now());
    kept.error = Some(Kind::UpstreamBroken);
    kept.provider_cost = Some(NanoUsd::from_nano(70));
    kept.abandoned_cost = NanoUsd::from_nano(7);
    for (count, info) in (1..).zip(Unit::ALL) {
        kept.usage.set(info.unit, count);
    }
    let mut second = kept.clone();
    second.cost = NanoUsd::from_nano(78);
    keep(&store, &[kept.clone()]).await;
    keep(&store, &[second]).await;

    let line = store.usage_of_request(kept.request).await.unwrap().unwrap();
    assert_eq!(line.usage, kept.usage);
    assert_eq!(
        (line.cost, line.provider_cost, line.abandoned_cost),
        (kept.cost, kept.provider_cost, kept.abandoned_cost)
    );
    assert_eq!((line.ids, line.received_at), (kept.ids, kept.received_at));
    assert_eq!(line.first_byte_at, kept.first_byte_at);
    assert_eq!(line.error.as_deref(), Some("upstream_broken"));
    assert_eq!(
        (&*line.format, &*line.operation),
        ("openai.chat", "generate")
    );
    assert_eq!(line.model_answered, kept.model_answered);
    assert_eq!(
        (line.held_cost, line.held_tokens),
        (kept.held.cost, kept.held.tokens)
    );
    assert!(line.stream && line.status == 200 && line.attempts == 1);
    assert_eq!(line.upstream_request_id, kept.upstream_request_id);
    assert_eq!(
        store.latest_usage(ids.organization, 5).await.unwrap(),
        [line]
    );
    assert_eq!(store.usage_of_request(world.request()).await.unwrap(), None);
}

#[test]
fn units_without_a_column_read_back_from_their_text() {
    let mut usage = Usage::NONE;
    usage.set(Unit::InputTokens, 7);
    usage.set(Unit::WebSearches, 3);
    usage.set(Unit::InputAudioTokens, 120);
    let text = units_text(&usage);
    let mut read = Usage::NONE;
    assert_eq!(read_units(&text, &mut read), Some(()));
    usage.set(Unit::InputTokens, 0);
    assert_eq!(read, usage);
    assert_eq!(read_units("web_searches=many", &mut read), None);
    assert_eq!(read_units("", &mut read), Some(()));
}
