//! A disk that is full: requests go on, what they cost waits in the hold file, which was allocated
//! ahead, and is written when there is room again, or by the next start.
//!
//! The disk is made full for one process: by a limit on the size of the files it writes, which ends
//! where the database's log does. The start of the hold file lies below it, as on a full disk.

use super::{numbered, numbers};
use crate::{
    outcome::Outcome,
    priced::{Rules, bill},
    support::{Stage, start},
    tables::Tables,
};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::{fs, os::unix::fs::PermissionsExt as _};
use tollgate_testkit::{Upstream, gateway::Launch};

/// Starts the binary as it would be on a full disk: told of it by an error, not by a signal.
const WRAPPER: &str = concat!(
    "#!/bin/sh\ntrap '' XFSZ\nexec '",
    env!("CARGO_BIN_EXE_tollgate"),
    "' \"$@\"\n"
);

/// Below this the disk has room: for some slots of the hold file, and for a few commits.
const FULL_ABOVE: u64 = 64 << 10;

async fn stage(upstream: &Upstream, directory: &tempfile::TempDir) -> Stage {
    let wrapper = directory.path().join("tollgate");
    fs::write(&wrapper, WRAPPER).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let rules = Rules::of_key("requests = { total = 90 }");
    start(Launch::new(wrapper, &rules.settings(&upstream.url()))).await
}

/// Lets files of the gateway grow to this size and no more.
fn limit_files(stage: &Stage, size: Option<u64>) {
    let pid = i32::try_from(stage.gateway.pid()).unwrap();
    let limit = Rlimit {
        current: size,
        maximum: None,
    };
    prlimit(Pid::from_raw(pid), Resource::Fsize, limit).expect("the limit can be set");
}

/// Sends requests until the ledger cannot be written, and some more; how many.
async fn fill(stage: &Stage) -> u64 {
    // The first one opens the accounts of its limits.
    let mut sent = 1;
    assert!(Outcome::of(numbered(sent), stage).await.is_answered());
    limit_files(stage, Some(FULL_ABOVE));
    let is_full = |stage: &Stage| {
        let log = stage.gateway.log_lines();
        log.iter()
            .any(|line| line.contains("the ledger cannot be written"))
    };
    while !is_full(stage) {
        sent += 1;
        assert!(
            sent < 60,
            "the disk is full by now: {:#?}",
            stage.gateway.log_lines()
        );
        let outcome = Outcome::of(numbered(sent), stage).await;
        assert!(outcome.is_answered(), "{outcome:?}");
    }
    for n in sent + 1..=sent + 10 {
        let outcome = Outcome::of(numbered(n), stage).await;
        assert!(
            outcome.is_answered(),
            "a full disk stops nobody: {outcome:?}"
        );
    }
    sent + 10
}

#[tokio::test]
async fn what_a_full_disk_does_not_take_is_written_when_there_is_room() {
    let upstream = Upstream::provider().await;
    let directory = tempfile::tempdir().unwrap();
    let stage = stage(&upstream, &directory).await;
    let sent = fill(&stage).await;
    limit_files(&stage, None);
    stage
        .gateway
        .wait_for_line("the ledger is written again")
        .await;
    let tables = Tables::of(stage).await;
    assert_eq!(numbers(tables.of_kind("settle")), (1..=sent).collect());
    assert_eq!(tables.assert_sound(), upstream.requests().len());
    assert_eq!(tables.spent(), bill(&upstream));
}

#[tokio::test]
async fn a_kill_while_the_disk_is_full_loses_nothing() {
    let upstream = Upstream::provider().await;
    let directory = tempfile::tempdir().unwrap();
    let stage = stage(&upstream, &directory).await;
    let sent = fill(&stage).await;
    stage.gateway.kill().await;

    let stage = start(stage.launch).await;
    for n in sent + 1..=90 {
        let outcome = Outcome::of(numbered(n), &stage).await;
        assert!(outcome.is_answered(), "{outcome:?}");
    }
    // The limit of 90 requests knows of all of them.
    Outcome::of(numbered(91), &stage).await.refusal();
    let tables = Tables::of(stage).await;
    assert_eq!(numbers(tables.of_kind("settle")), (1..=90).collect());
    assert_eq!(tables.assert_sound(), 90);
    assert_eq!(tables.spent(), bill(&upstream));
}
