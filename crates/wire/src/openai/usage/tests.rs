use super::*;
use crate::tap::{Framing, Progress, StreamEdits, Tap};
use bytes::Bytes;
use tollgate_core::{
    format::Format,
    money::NanoUsd,
    unit::Unit,
    usage::{Usage, UsageReport},
};

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).expect(&path)
}

fn streamed(format: Format, bytes: Vec<u8>) -> (UsageReport, Progress) {
    let mut tap = Tap::new(format, Framing::Sse, StreamEdits::default());
    let mut out = Vec::new();
    tap.feed(Bytes::from(bytes), &mut |_| None, &mut out);
    tap.finish(&mut out);
    (tap.report(), tap.progress())
}

fn counts(pairs: &[(Unit, u64)]) -> Usage {
    let mut usage = Usage::NONE;
    for (unit, count) in pairs {
        usage.set(*unit, *count);
    }
    usage
}

/// Input, cache reads, cache writes, output, reasoning.
fn five(counted: [u64; 5]) -> Usage {
    counts(&[
        (Unit::InputTokens, counted[0]),
        (Unit::CacheReadTokens, counted[1]),
        (Unit::CacheWriteTokens, counted[2]),
        (Unit::OutputTokens, counted[3]),
        (Unit::OutputReasoningTokens, counted[4]),
    ])
}

mod audio;
mod chat;
mod completions;
mod images;
mod responses;
