//! A provider that costs next to nothing: a fixed chat completion of about 1 KB, or a stream of
//! `?chunks=` events of 200 bytes, one every `?delay_ms=`. `--listen ADDR`; the query of
//! `POST /_mock` sets both while it runs.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context as TaskContext, Poll, ready},
    time::Duration,
};
use tokio::time::{Sleep, sleep};
use tollgate_bench::Arguments;

#[derive(Debug, Default)]
struct Script {
    chunks: AtomicU64,
    delay_ms: AtomicU64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let listen = arguments
        .text("listen")
        .context("--listen ADDR is missing")?;
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let script = Arc::new(Script::default());
    script
        .chunks
        .store(arguments.number("chunks", 100)?, Ordering::Relaxed);
    script
        .delay_ms
        .store(arguments.number("delay-ms", 20)?, Ordering::Relaxed);
    let plain = Bytes::from(completion());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (script, plain) = (Arc::clone(&script), plain.clone());
        tokio::spawn(async move {
            let service =
                service_fn(move |request| answer(Arc::clone(&script), plain.clone(), request));
            drop(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

fn completion() -> String {
    let content = "lorem ipsum ".repeat(58);
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1764000000,"model":"gpt-5.2","choices":[{{"index":0,"message":{{"role":"assistant","content":"{content}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":200,"completion_tokens":150,"total_tokens":350}},"service_tier":"default"}}"#
    )
}

async fn answer(
    script: Arc<Script>,
    plain: Bytes,
    request: Request<Incoming>,
) -> Result<Response<Answer>> {
    if request.uri().path() == "/_mock" {
        for pair in request.uri().query().unwrap_or_default().split('&') {
            match pair.split_once('=') {
                Some(("chunks", value)) => script.chunks.store(value.parse()?, Ordering::Relaxed),
                Some(("delay_ms", value)) => {
                    script.delay_ms.store(value.parse()?, Ordering::Relaxed);
                }
                _ => {}
            }
        }
        return Ok(Response::new(Answer::Plain(Some(Bytes::new()))));
    }
    let body = request.into_body().collect().await?.to_bytes();
    let streamed = body
        .windows(13)
        .rev()
        .any(|window| window == b"\"stream\":true");
    let (kind, answer) = if streamed {
        ("text/event-stream", Answer::stream(&script))
    } else {
        ("application/json", Answer::Plain(Some(plain)))
    };
    let mut response = Response::new(answer);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

enum Answer {
    Plain(Option<Bytes>),
    Stream {
        left: u64,
        delay: Duration,
        timer: Pin<Box<Sleep>>,
        tail: u8,
        chunk: Bytes,
    },
}

impl Answer {
    fn stream(script: &Script) -> Self {
        let delay = Duration::from_millis(script.delay_ms.load(Ordering::Relaxed));
        let content = "lorem ipsum ".repeat(5);
        let chunk = format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"gpt-5.2\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}},\"finish_reason\":null}}]}}\n\n"
        );
        Self::Stream {
            left: script.chunks.load(Ordering::Relaxed),
            delay,
            timer: Box::pin(sleep(Duration::ZERO)),
            tail: 0,
            chunk: Bytes::from(chunk),
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let data = match self.get_mut() {
            Self::Plain(body) => body.take(),
            Self::Stream {
                left,
                delay,
                timer,
                tail,
                chunk,
            } => {
                if *left > 0 {
                    ready!(timer.as_mut().poll(cx));
                    *left -= 1;
                    timer.as_mut().reset(tokio::time::Instant::now() + *delay);
                    Some(chunk.clone())
                } else {
                    *tail += 1;
                    match tail {
                        1 => Some(Bytes::from_static(b"data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"gpt-5.2\",\"choices\":[],\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":1500,\"total_tokens\":1700}}\n\ndata: [DONE]\n\n")),
                        _ => None,
                    }
                }
            }
        };
        Poll::Ready(data.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Plain(None))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Plain(body) => {
                let bytes = body.as_ref().map_or(0, Bytes::len);
                http_body::SizeHint::with_exact(u64::try_from(bytes).unwrap_or(u64::MAX))
            }
            Self::Stream { .. } => http_body::SizeHint::default(),
        }
    }
}
