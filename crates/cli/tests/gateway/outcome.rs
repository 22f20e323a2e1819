//! What became of a request, and whether a refusal or a cut looks as its dialect wants it.

use crate::{
    priced::{Api, Ask},
    support::Stage,
};
use http::HeaderMap;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;
use tollgate_core::id::RequestId;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) ask: Ask,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Outcome {
    /// Sends a request and reads the whole answer, which must end properly.
    pub(crate) async fn of(ask: Ask, stage: &Stage) -> Self {
        let answered = ask.send(stage).await;
        Self {
            ask,
            status: answered.status.as_u16(),
            headers: answered.headers.clone(),
            body: answered.text().await,
        }
    }

    /// Sends them all at the same time.
    pub(crate) async fn of_all(
        asks: impl IntoIterator<Item = Ask>,
        stage: &Arc<Stage>,
    ) -> Vec<Self> {
        let mut running = JoinSet::new();
        for ask in asks {
            let stage = Arc::clone(stage);
            running.spawn(async move { Self::of(ask, &stage).await });
        }
        running.join_all().await
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.status == 200
    }

    pub(crate) fn request_id(&self) -> RequestId {
        let id = self.headers.get("tollgate-request-id");
        let id = id.expect("every answer names its request").to_str();
        id.expect("it is text").parse().expect("it is an id")
    }

    /// Fails unless it is a refusal that official SDKs take for what it is and do not try again;
    /// gives its text.
    pub(crate) fn refusal(&self) -> String {
        assert_eq!(self.status, 402, "{self:?}");
        let header = |name| self.headers.get(name).map(http::HeaderValue::as_bytes);
        assert_eq!(header("x-should-retry"), Some(&b"false"[..]), "{self:?}");
        assert_eq!(header("retry-after"), None, "{self:?}");
        let body: Value = serde_json::from_str(&self.body).expect("the body is JSON");
        let (pointer, word) = match self.ask.api {
            Api::Chat | Api::Responses => ("/error/type", json!("insufficient_quota")),
            Api::Messages => ("/error/type", json!("billing_error")),
            Api::Gemini => ("/error/status", json!("FAILED_PRECONDITION")),
        };
        assert_eq!(body.pointer(pointer), Some(&word), "{body}");
        text(&body, "/error/message")
    }

    /// Fails unless it is a stream that was cut by a limit, and says so as its dialect does; gives
    /// the text.
    pub(crate) fn cut(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        let (body, api) = (&self.body, self.ask.api);
        let ending = [
            "[DONE]",
            "message_stop",
            "response.completed",
            "finishReason\":\"STOP",
        ];
        let whole = ending.iter().find(|mark| body.contains(**mark));
        assert_eq!(
            whole, None,
            "a stream that was cut is not ended as if it were whole"
        );
        let event = body.trim_end().rsplit("\n\n").next().expect("there is one");
        let event = event.rsplit("\r\n\r\n").next().expect("there is one");
        let (name, data) = event.split_once("data: ").expect("an event has data");
        let data: Value = serde_json::from_str(data).expect("the data is JSON");
        let limit = &["limit_reached", "limit_held"][..];
        let (named, pointer, words, message) = match api {
            Api::Chat => ("", "/error/code", limit, "/error/message"),
            Api::Responses => (
                "event: response.failed\n",
                "/response/error/code",
                limit,
                "/response/error/message",
            ),
            Api::Messages => (
                "event: error\n",
                "/error/type",
                &["billing_error"][..],
                "/error/message",
            ),
            Api::Gemini => (
                "",
                "/error/status",
                &["FAILED_PRECONDITION"][..],
                "/error/message",
            ),
        };
        assert_eq!(name, named, "{data}");
        let word = text(&data, pointer);
        assert!(words.contains(&word.as_str()), "{data}");
        text(&data, message)
    }
}

fn text(body: &Value, pointer: &str) -> String {
    let text = body.pointer(pointer).and_then(Value::as_str);
    text.expect("there is a text").to_owned()
}
