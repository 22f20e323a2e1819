//! The yardstick: the smallest proxy that hyper allows. No authentication, nothing read, nothing
//! counted; bodies are streamed. `--listen ADDR --upstream URL`.

use anyhow::{Context, Result};
use http::{HeaderName, Request, Response, Uri};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use std::sync::Arc;
use tollgate_bench::Arguments;

type Upstream = Client<HttpConnector, Incoming>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let listen = arguments
        .text("listen")
        .context("--listen ADDR is missing")?;
    let upstream: Arc<str> = arguments
        .text("upstream")
        .context("--upstream URL is missing")?
        .into();
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Upstream = Client::builder(TokioExecutor::new()).build(connector);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, upstream) = (client.clone(), Arc::clone(&upstream));
        tokio::spawn(async move {
            let service =
                service_fn(move |request| forward(client.clone(), Arc::clone(&upstream), request));
            let server = auto::Builder::new(TokioExecutor::new());
            drop(server.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn forward(
    client: Upstream,
    upstream: Arc<str>,
    mut request: Request<Incoming>,
) -> Result<Response<BoxBody<bytes::Bytes, hyper::Error>>> {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    *request.uri_mut() = format!("{upstream}{path}").parse::<Uri>()?;
    for hop in ["connection", "host", "transfer-encoding"] {
        request.headers_mut().remove(HeaderName::from_static(hop));
    }
    match client.request(request).await {
        Ok(mut response) => {
            response.headers_mut().remove(http::header::CONNECTION);
            Ok(response.map(BodyExt::boxed))
        }
        Err(error) => {
            let text = bytes::Bytes::from(error.to_string());
            let body = Full::new(text).map_err(|never| match never {}).boxed();
            let mut response = Response::new(body);
            *response.status_mut() = http::StatusCode::BAD_GATEWAY;
            Ok(response)
        }
    }
}
