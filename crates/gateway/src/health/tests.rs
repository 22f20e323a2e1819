use super::*;
use crate::select::tests::provider;
use std::time::Duration;
use tollgate_core::provider::{Connection, ProviderKind};

fn of_at_most(most: u32) -> Arc<Provider> {
    let provider = provider(1, "a", ProviderKind::OpenAi);
    let connection = Connection {
        max_concurrency: Some(most),
        ..Connection::default()
    };
    Arc::new(Provider {
        connection,
        ..provider.as_ref().clone()
    })
}

#[test]
fn a_provider_has_no_more_requests_than_it_may_and_a_place_is_free_again_at_once() {
    let (health, provider) = (Health::new(HealthPolicy::default()), of_at_most(2));
    let now = Instant::now();
    let enter = || health.enter(&provider, Insist::No, now);
    let (one, _two) = (enter().unwrap(), enter().unwrap());
    assert_eq!(enter().unwrap_err(), NotNow::Full);
    let insisting = health.enter(&provider, Insist::Yes, now);
    assert_eq!(
        insisting.unwrap_err(),
        NotNow::Full,
        "nobody insists on that"
    );
    drop(one);
    assert!(enter().is_ok());
}

#[test]
fn a_provider_that_is_out_is_tried_only_by_who_has_nobody_else() {
    let (health, provider) = (Health::new(HealthPolicy::default()), of_at_most(9));
    let now = Instant::now();
    let failing = health.enter(&provider, Insist::No, now).unwrap();
    failing.note(Sign::CredentialRefused, now);
    drop(failing);
    let until = health.out_until(provider.id, now);
    assert_eq!(until, Some(now + Duration::from_secs(10)));
    let turned_away = health.enter(&provider, Insist::No, now).unwrap_err();
    assert_eq!(turned_away, NotNow::Out);
    let insists = health.enter(&provider, Insist::Yes, now).unwrap();
    insists.note(Sign::Answered, now);
    assert_eq!(health.out_until(provider.id, now), None);
}

#[test]
fn nothing_is_kept_of_a_provider_that_is_well_and_idle() {
    let (health, provider) = (Health::new(HealthPolicy::default()), of_at_most(9));
    let now = Instant::now();
    let duty = health.enter(&provider, Insist::No, now).unwrap();
    duty.note(Sign::Failed, now);
    assert_eq!(health.lock().len(), 1);
    duty.note(Sign::Answered, now);
    drop(duty);
    assert!(health.lock().is_empty());
}
