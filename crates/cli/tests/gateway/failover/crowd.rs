//! Very many streams at once, and a group that is edited under them.

use super::group::{Dialect, Target, pair, served_by, settings, stage};
use crate::{priced::reload, support::Stage};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tollgate_testkit::{Upstream, client::Answered};

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const BEGIN: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"}}]}\n\n";
const END: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":10}}\n\n\
    data: [DONE]\n\n";

/// A provider that begins an answer to whoever comes, and ends them all when it is told.
struct Holding {
    url: String,
    open: watch::Sender<usize>,
    release: watch::Sender<bool>,
    _serving: JoinSet<()>,
}

impl Holding {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (open, release) = (watch::Sender::new(0), watch::Sender::new(false));
        let mut serving = JoinSet::new();
        let (counted, released) = (open.clone(), release.clone());
        serving.spawn(async move {
            let mut conversations = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                conversations.spawn(converse(stream, counted.clone(), released.subscribe()));
            }
        });
        Self {
            url,
            open,
            release,
            _serving: serving,
        }
    }

    /// How many answers were begun.
    fn begun(&self) -> usize {
        *self.open.borrow()
    }

    fn end_all(&self) {
        self.release.send_replace(true);
    }
}

async fn converse(
    mut stream: TcpStream,
    open: watch::Sender<usize>,
    mut release: watch::Receiver<bool>,
) {
    let mut request = Vec::new();
    // The whole request: its last bytes are those of the JSON.
    while !request.ends_with(b"}") {
        if stream.read_buf(&mut request).await.unwrap_or_default() == 0 {
            return;
        }
    }
    stream
        .write_all([HEAD, BEGIN].concat().as_bytes())
        .await
        .unwrap();
    open.send_modify(|count| *count += 1);
    release.wait_for(|now| *now).await.unwrap();
    stream.write_all(END.as_bytes()).await.unwrap();
}

/// Opens so many streams at once and waits until each has shown its first content.
async fn open_streams(stage: &Arc<Stage>, count: usize) -> Vec<Answered> {
    let mut opening = JoinSet::new();
    for _ in 0..count {
        let stage = Arc::clone(stage);
        opening.spawn(async move {
            let (path, body) = (Dialect::Chat.path("group"), Dialect::Chat.body(true));
            let mut answered = stage.client.post(&path, &body).await;
            assert_eq!(answered.status, 200, "{answered:?}");
            let first = answered.chunk().await.unwrap().unwrap();
            assert_eq!(first, BEGIN);
            answered
        });
    }
    opening.join_all().await
}

/// Four descriptors for each stream: as many as the system allows.
fn raise_the_limit_of_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("up to the hard limit one may go");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_thousand_streams_to_one_host_none_waits_for_another() {
    const STREAMS: usize = 2_000;
    raise_the_limit_of_open_files();
    let provider = Holding::start().await;
    let target = [Target::new("only", provider.url.clone())];
    let settings = settings("", "", &Dialect::Chat.group("group", &target, ""));
    let stage = Arc::new(stage(&settings).await);
    let streams = open_streams(&stage, STREAMS).await;
    assert_eq!(provider.begun(), STREAMS, "all are open at the same time");
    provider.end_all();
    let mut reading = JoinSet::new();
    for stream in streams {
        reading.spawn(stream.text());
    }
    for text in reading.join_all().await {
        assert_eq!(text, END);
    }
    let stage = Arc::into_inner(stage).expect("nobody else has it");
    let books = stage.books().await;
    assert_eq!(books.entries.len(), STREAMS);
    assert!(
        books
            .entries
            .iter()
            .all(|entry| entry.amount.cost.as_nano() == 110_000)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_edited_while_200_streams_run_disturbs_none_and_serves_the_next_request() {
    const STREAMS: usize = 200;
    let (old, new) = (Holding::start().await, Upstream::provider().await);
    let both = pair(old.url.clone(), new.url());
    let with = |targets: &[Target]| settings("", "", &Dialect::Chat.group("group", targets, ""));
    let stage = Arc::new(stage(&with(&both)).await);
    let streams = open_streams(&stage, STREAMS).await;
    assert_eq!(new.requests().len(), 0);

    // Not even the old provider is declared any more.
    reload(&stage, &with(&both[1..])).await;
    let (path, body) = (Dialect::Chat.path("group"), Dialect::Chat.body(false));
    let next = stage.client.post(&path, &body).await;
    assert_eq!((next.status.as_u16(), served_by(&next)), (200, "second"));
    assert_eq!(old.begun(), STREAMS);

    old.end_all();
    for stream in streams {
        assert_eq!(stream.text().await, END);
    }
}
