//! Many requests to one group, and what became of them.

use super::group::{Dialect, served_by};
use crate::support::{Stage, read};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::task::JoinSet;

/// Requests are on their way all the time, so many at once.
pub(super) const AT_ONCE: usize = 32;

/// How many of the requests ended how.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Whole answers, by who gave them.
    pub(super) whole: BTreeMap<String, usize>,
    /// All others, by what the client saw.
    pub(super) failed: BTreeMap<String, usize>,
}

impl Ended {
    pub(super) fn by(&self, slug: &str) -> usize {
        self.whole.get(slug).copied().unwrap_or_default()
    }

    pub(super) fn failures(&self) -> usize {
        self.failed.values().sum()
    }
}

/// Sends so many chat requests to the route `group`; every other one is a stream, if so.
pub(super) async fn load(stage: &Arc<Stage>, count: usize, streams: bool) -> Ended {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (stage, next) = (Arc::clone(stage), Arc::clone(&next));
        workers.spawn(async move {
            let mut ended = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return ended;
                }
                ended.push(one(&stage, streams && number % 2 == 0).await);
            }
        });
    }
    let mut ended = Ended::default();
    for outcome in workers.join_all().await.into_iter().flatten() {
        let (counts, key) = match outcome {
            Ok(slug) => (&mut ended.whole, slug),
            Err(seen) => (&mut ended.failed, seen),
        };
        *counts.entry(key).or_default() += 1;
    }
    ended
}

/// Who gave the whole answer, or what came instead.
async fn one(stage: &Stage, stream: bool) -> Result<String, String> {
    let path = Dialect::Chat.path("group");
    let answered = stage.client.post(&path, &Dialect::Chat.body(stream)).await;
    let (status, slug) = (answered.status.as_u16(), served_by(&answered).to_owned());
    let (text, clean) = read(answered).await;
    let whole = text.contains("word5") && (!stream || text.ends_with("data: [DONE]\n\n"));
    if status == 200 && clean && whole {
        Ok(slug)
    } else {
        Err(format!("{status} of {slug}: {text}"))
    }
}
