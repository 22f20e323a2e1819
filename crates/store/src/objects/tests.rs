use super::*;
use crate::{
    HoldFile, LedgerWriter, Posting, UsageLine, WriterSettings,
    testing::{World, amount, declared, ids_of_key, provision, record},
};
use std::sync::Arc;
use tollgate_core::{
    amount::Amount,
    format::Format,
    ledger::{EntryKind, Fact, FactKind, Flags},
    money::NanoUsd,
    object::DeferredWork,
    principal::Ids,
    record::RecordFlags,
    unit::Unit,
    usage::Usage,
};

struct Objects {
    world: World,
    store: Arc<Store>,
    holds: Arc<HoldFile>,
    ids: Ids,
    provider: ProviderId,
}

impl Objects {
    async fn new() -> Self {
        let world = World::new();
        let store = world.store().await;
        provision(&store, &declared()).await;
        let ids = ids_of_key(&store, "Quick Start").await;
        let (holds, _) = world.hold_file();
        Self {
            provider: ProviderId::new(world.now(), &*world.entropy),
            world,
            store,
            holds,
            ids,
        }
    }

    fn object(&self, id: &str) -> StoredObject {
        StoredObject {
            id: id.into(),
            kind: ObjectKind::Response,
            provider: self.provider,
            maker: self.ids,
            request: self.world.request(),
            made_at: self.world.now(),
            facts: None,
        }
    }

    fn work(&self, object: &StoredObject) -> DeferredWork {
        DeferredWork {
            request: object.request,
            ids: self.ids,
            reserved_at: self.world.now(),
            provider: self.provider,
            format: Format::OpenAiResponses,
            object: object.id.clone(),
            model: "gpt-5.2".into(),
            requests: 1,
            aside: Amount::ZERO,
            look_at: self.world.now(),
            looks: 0,
            give_up_at: self.world.now() + jiff::SignedDuration::from_hours(24),
        }
    }

    fn estimate(&self, work: &DeferredWork, cost: i64) -> Fact {
        Fact {
            request: work.request,
            ids: self.ids,
            reserved_at: work.reserved_at,
            kind: FactKind::Defer,
            amount: amount(cost),
            flags: Flags::ESTIMATED,
        }
    }

    /// Commits through the writer, as a request does.
    async fn post(&self, fact: Option<Fact>, objects: Vec<StoredObject>) {
        let writer = LedgerWriter::start(
            Arc::clone(&self.store),
            Arc::clone(&self.holds),
            WriterSettings::default(),
        );
        let record = fact.map(|fact| {
            let mut record = record(&fact);
            record.flags.add(RecordFlags::ESTIMATED);
            record.flags.add(RecordFlags::DEFERRED);
            Box::new(record)
        });
        let posting = Posting {
            slot: None,
            fact,
            record,
            objects,
            acknowledge: None,
        };
        writer.handle().post(posting).unwrap();
        writer.finish().await.unwrap();
    }

    async fn known(&self, id: &str) -> Option<KnownObject> {
        let found = self.store.objects_of(self.ids.project, &[id]).await;
        found.unwrap().into_iter().next()
    }

    async fn line(&self, request: RequestId) -> UsageLine {
        let line = self.store.usage_of_request(request).await.unwrap();
        line.expect("the request has a record")
    }
}

fn truth(cost: i64) -> Truth {
    let mut usage = Usage::NONE;
    usage.set(Unit::InputTokens, 8);
    usage.set(Unit::OutputTokens, 2);
    Truth {
        amount: amount(cost),
        flags: Flags::NONE,
        usage,
        model: Some("gpt-5.2-2026-09-01".into()),
        provider_cost: None,
    }
}

#[tokio::test]
async fn an_object_is_found_by_its_project_and_by_no_other() {
    let objects = Objects::new().await;
    let mut own = objects.object("resp_1");
    objects.post(None, vec![own.clone()]).await;
    let known = objects.known("resp_1").await.unwrap();
    assert_eq!(known.provider, objects.provider);
    assert_eq!(known.kind, ObjectKind::Response);
    let stranger = ProjectId::from_bytes([9; 16]);
    let found = objects.store.objects_of(stranger, &["resp_1", "resp_2"]);
    assert_eq!(found.await.unwrap(), []);
    // Facts that come later are filled in, and are not lost when it is named again.
    own.facts = Some("{}".into());
    objects.store.keep_objects(&[own]).await.unwrap();
    objects
        .store
        .keep_objects(&[objects.object("resp_1")])
        .await
        .unwrap();
    let known = objects.known("resp_1").await.unwrap();
    assert_eq!(known.facts.as_deref(), Some("{}"));
}

#[tokio::test]
async fn what_was_deleted_at_the_provider_is_unknown() {
    let objects = Objects::new().await;
    let object = objects.object("file-1");
    objects.store.keep_objects(&[object]).await.unwrap();
    let (project, provider) = (objects.ids.project, objects.provider);
    let elsewhere = ProviderId::from_bytes([8; 16]);
    let forget = |at| objects.store.forget_object(project, at, "file-1");
    forget(elsewhere).await.unwrap();
    assert!(objects.known("file-1").await.is_some());
    forget(provider).await.unwrap();
    assert!(objects.known("file-1").await.is_none());
}

#[tokio::test]
async fn a_bill_is_posted_once_as_the_difference_to_its_estimate() {
    let objects = Objects::new().await;
    let object = objects.object("resp_1");
    let work = objects.work(&object);
    objects.store.keep_deferred(&object, &work).await.unwrap();
    let open = objects.known("resp_1").await.unwrap().open_work;
    assert_eq!(open, Some(work.request));

    let bill = truth(300);
    let settle = || objects.store.settle_deferred(&work, Some(&bill));
    let early = settle();
    assert_eq!(early.await.unwrap(), Settlement::TooEarly);

    let estimate = objects.estimate(&work, 1_000);
    objects.post(Some(estimate), Vec::new()).await;
    let line = objects.line(work.request).await;
    assert_eq!(line.cost.as_nano(), 1_000);
    assert!(line.flags.contains(RecordFlags::ESTIMATED));

    let Settlement::Posted(_, late) = settle().await.unwrap() else {
        panic!("nothing was posted");
    };
    assert_eq!(
        (late.kind, late.amount.cost.as_nano()),
        (EntryKind::Late, -700)
    );
    assert_eq!(late.amount.requests, 0);
    assert_eq!(settle().await.unwrap(), Settlement::Nothing);

    let line = objects.line(work.request).await;
    assert_eq!(line.cost, NanoUsd::from_nano(300));
    assert_eq!(line.usage.get(Unit::OutputTokens), 2);
    assert!(!line.flags.contains(RecordFlags::ESTIMATED));
    assert!(line.flags.contains(RecordFlags::DEFERRED));
    assert_eq!(objects.known("resp_1").await.unwrap().open_work, None);
}

#[tokio::test]
async fn a_bill_that_is_not_whole_takes_nothing_off_the_estimate() {
    for (part, stands) in [(300, 1_000), (1_700, 1_700)] {
        let objects = Objects::new().await;
        let object = objects.object("resp_1");
        let work = objects.work(&object);
        objects.store.keep_deferred(&object, &work).await.unwrap();
        let estimate = objects.estimate(&work, 1_000);
        objects.post(Some(estimate), Vec::new()).await;
        let mut bill = truth(part);
        bill.flags = Flags::ESTIMATED;
        let settled = objects.store.settle_deferred(&work, Some(&bill)).await;
        let settled = settled.unwrap();
        if let Settlement::Posted(_, late) = &settled {
            assert_eq!(late.amount.cost.as_nano(), stands - 1_000);
        }
        let again = objects.store.settle_deferred(&work, Some(&bill)).await;
        assert_eq!(again.unwrap(), Settlement::Nothing);
        let line = objects.line(work.request).await;
        assert_eq!(line.cost.as_nano(), stands);
        assert!(line.flags.contains(RecordFlags::ESTIMATED));
    }
}

#[tokio::test]
async fn given_up_work_stays_at_its_estimate() {
    let objects = Objects::new().await;
    let object = objects.object("resp_1");
    let work = objects.work(&object);
    objects.store.keep_deferred(&object, &work).await.unwrap();
    objects
        .post(Some(objects.estimate(&work, 1_000)), Vec::new())
        .await;
    let ended = objects.store.settle_deferred(&work, None).await.unwrap();
    assert_eq!(ended, Settlement::Nothing);
    let bill = truth(300);
    let late = objects.store.settle_deferred(&work, Some(&bill));
    assert_eq!(late.await.unwrap(), Settlement::Nothing);
    assert_eq!(objects.line(work.request).await.cost.as_nano(), 1_000);
}

#[tokio::test]
async fn open_work_is_due_when_its_time_has_come() {
    let objects = Objects::new().await;
    let object = objects.object("resp_1");
    let work = objects.work(&object);
    objects.store.keep_deferred(&object, &work).await.unwrap();
    let now = objects.world.now();
    assert_eq!(
        objects.store.work_due(now, 10).await.unwrap(),
        std::slice::from_ref(&work)
    );
    let later = now + jiff::SignedDuration::from_mins(5);
    objects.store.look_again(work.request, later).await.unwrap();
    assert_eq!(objects.store.work_due(now, 10).await.unwrap(), []);
    let due = objects.store.work_due(later, 10).await.unwrap();
    assert_eq!((due[0].looks, due[0].look_at), (1, later));
    objects
        .post(Some(objects.estimate(&work, 1)), Vec::new())
        .await;
    objects.store.settle_deferred(&work, None).await.unwrap();
    assert_eq!(objects.store.work_due(later, 10).await.unwrap(), []);
}
