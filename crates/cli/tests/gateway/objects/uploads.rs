//! Large forms: passed on while they come, in bounded memory.

use super::{FILES, file, form, stage_of_two, upload};
use crate::support::{KEY, Stage, assert_refused};
use bytes::Bytes;
use std::time::Duration;
use tollgate_testkit::Upstream;

/// The most memory that the gateway's process had so far, in KiB.
fn peak_kib(stage: &Stage) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", stage.gateway.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn large(megabytes: usize) -> Bytes {
    let line = "0123456789abcdef".repeat(64);
    form("user_data", &line.repeat(megabytes * 1024))
}

#[tokio::test]
async fn a_large_file_passes_unchanged_and_is_never_kept() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    upstream.answer(file("file-small"));
    assert_eq!(upload(&stage, FILES, large(1)).await.status, 200);
    let before = peak_kib(&stage);
    let body = large(60);
    upstream.answer(file("file-large"));
    assert_eq!(upload(&stage, FILES, body.clone()).await.status, 200);
    let sent = upstream.requests().pop().unwrap();
    assert!(sent.body == body, "every byte arrives");
    assert_eq!(
        sent.header("content-length"),
        Some(&*body.len().to_string())
    );
    let grown = peak_kib(&stage).saturating_sub(before);
    assert!(grown < 20 * 1024, "the process grew by {grown} KiB");
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_and_one_under_it_is_not_held_to_the_limit_of_bodies() {
    let upstream = Upstream::start().await;
    let limits = "[server]\nbody_limit = \"1MiB\"\nupload_limit = \"4MiB\"\n";
    let stage = stage_of_two(&upstream.url(), limits).await;
    upstream.answer(file("file-1"));
    assert_eq!(upload(&stage, FILES, large(3)).await.status, 200);
    let refused = upload(&stage, FILES, large(5)).await;
    assert_refused(refused, 413, "request_too_large").await;
    let audio = upload(&stage, "/proxy/openai/v1/audio/transcriptions", large(3)).await;
    assert_eq!(audio.status, 413, "only files are uploads");
}

/// The head of an upload of which `sent` bytes are written, of `length` that are announced.
async fn begin(
    stage: &Stage,
    length: usize,
    sent: usize,
) -> tollgate_testkit::client::raw::RawClient {
    let mut client = stage.raw().await;
    let head = format!(
        "POST {FILES} HTTP/1.1\r\nhost: gw\r\nauthorization: Bearer {KEY}\r\ncontent-type: \
         multipart/form-data; boundary=edge\r\ncontent-length: {length}\r\n\r\n"
    );
    assert!(client.write(head).await);
    let body = large(length.div_ceil(1 << 20) + 1);
    client.write(body.slice(..sent)).await;
    client
}

#[tokio::test]
async fn a_client_that_falls_silent_is_told_so_and_its_upload_ends() {
    let upstream = Upstream::start().await;
    let idle = "[server]\nbody_idle_timeout = \"300ms\"\n";
    let stage = stage_of_two(&upstream.url(), idle).await;
    let mut client = begin(&stage, 8 << 20, 2 << 20).await;
    let answer = client.read_until("request_timeout").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(
        upstream.requests().len(),
        0,
        "the upstream saw no whole request"
    );
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_broken_off_upstream_and_made_by_nobody() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    let client = begin(&stage, 8 << 20, 2 << 20).await;
    client.reset();
    // The gateway serves on, and the next upload is a request of its own.
    upstream.answer(file("file-1"));
    let next = tokio::time::timeout(
        Duration::from_secs(20),
        upload(&stage, FILES, form("user_data", "x")),
    );
    assert_eq!(next.await.unwrap().status, 200);
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn an_upload_goes_to_another_target_as_long_as_none_has_taken_of_it() {
    let upstream = Upstream::start().await;
    let refusing = Upstream::refusing().await;
    let group = format!(
        "{}\n[[routing_group]]\nslug = \"pool\"\ntargets = [
        {{ provider = \"gone\", priority = 0, weight = 1 }},
        {{ provider = \"openai\", priority = 1, weight = 1 }},\n]\n",
        crate::support::provider("gone", "openai", &format!("{refusing}/v1"), "")
    );
    let stage = stage_of_two(&upstream.url(), &group).await;
    upstream.answer(file("file-1"));
    let body = large(3);
    let made = upload(&stage, "/proxy/pool/v1/files", body.clone()).await;
    assert_eq!(made.status, 200);
    assert!(upstream.only_request().body == body, "every byte arrives");
}
