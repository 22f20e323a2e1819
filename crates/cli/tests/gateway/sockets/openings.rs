//! Openings: tried elsewhere, refused as any request would be, sent back to HTTP.

use super::{
    REALTIME, RESPONSES, ask,
    peer::{Provider, Side},
};
use crate::support::{self, stage};

#[tokio::test]
async fn a_refused_handshake_is_tried_elsewhere_and_told_when_there_is_nowhere_else() {
    let (sick, well) = (Provider::start().await, Provider::start().await);
    let group = format!(
        "{}{}\n[[routing_group]]\nslug = \"both\"\ntargets = [\n  {{ provider = \"sick\" }},\n  \
         {{ provider = \"well\", priority = 1 }},\n]\n",
        support::provider("sick", "openai", &format!("{}/v1", sick.url()), ""),
        support::provider("well", "openai", &format!("{}/v1", well.url()), ""),
    );
    let stage = stage(&sick.url(), &group).await;
    let sorry = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\n\r\nsorry";
    let ((), mut client, (mut upstream, ..)) = tokio::join!(
        sick.refuse(sorry),
        Side::connect(&stage, "/proxy/both/v1/responses"),
        well.accept()
    );
    client.say(&ask("hi")).await;
    upstream.hear().await;
    client.close().await;
    let ((), refused) = tokio::join!(
        sick.refuse(sorry),
        Side::try_connect(&stage, "/proxy/sick/v1/responses")
    );
    let (status, text) = refused.err().unwrap();
    assert_eq!((status.as_u16(), text.as_str()), (503, "sorry"));
}

#[tokio::test]
async fn a_handshake_is_refused_as_any_request_would_be() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    for (answer, status, told) in [
        ("401 Unauthorized", 502, "refused this gateway's credential"),
        (
            "302 Found\r\nlocation: http://elsewhere.invalid/",
            502,
            "redirect",
        ),
        ("400 Bad Request", 400, "sk-canary"),
    ] {
        let body = "{\"error\":\"sk-canary\"}";
        let length = body.len();
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: {length}\r\n\r\n{body}");
        let ((), refused) = tokio::join!(
            provider.refuse(&answer),
            Side::try_connect(&stage, RESPONSES)
        );
        let (code, text) = refused.err().unwrap();
        assert_eq!(code.as_u16(), status, "{text}");
        assert!(text.contains(told), "{text}");
        assert_eq!(text.contains("sk-canary"), status == 400, "{text}");
    }
}

#[tokio::test]
async fn codex_is_sent_back_to_http_where_nobody_speaks_the_socket() {
    let provider = Provider::start().await;
    let groq = support::provider("groq", "groq", &provider.url(), "");
    let stage = stage(&provider.url(), &groq).await;
    let path = "/proxy/groq/openai/v1/responses";
    let (status, text) = Side::try_connect(&stage, path).await.err().unwrap();
    assert_eq!(status.as_u16(), 404, "{text}");
    assert!(text.contains("does not speak"), "{text}");
    let codex = [("originator", "codex_cli_rs")];
    let (status, _) = Side::connect_with(&stage, path, &codex)
        .await
        .err()
        .unwrap();
    assert_eq!(status.as_u16(), 426);
}

#[tokio::test]
async fn what_is_no_handshake_is_told_what_to_do() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let client = stage.client.clone().header("upgrade", "websocket");
    let answered = client.get(REALTIME).await;
    let text = support::assert_refused(answered, 400, "bad_request").await;
    assert!(text.contains("WebSocket"), "{text}");
}
