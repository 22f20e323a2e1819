//! A model whose bill is computed in the head: at every provider, `m` costs $1 per million tokens
//! of input and $10 per million of output, so a token costs 1,000 or 10,000 nano-dollars. The
//! arithmetic here is the provider's, not ours: from what it wrote until the connection closed.

use crate::support::{KEY, Stage, provider, start};
use http::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tollgate_testkit::{Upstream, client::Answered, gateway::Launch};

/// Nano-dollars per token of input and of output.
const INPUT: u64 = 1_000;
const OUTPUT: u64 = 10_000;

pub(crate) const PRICES: &str =
    "[provider.prices]\n\"m\" = { input = \"1.00\", output = \"10.00\" }";

/// Limits, as they stand between the braces of `limits = { … }`, and further tables.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules<'r> {
    pub(crate) organization: &'r str,
    pub(crate) project: &'r str,
    pub(crate) member: &'r str,
    pub(crate) key: &'r str,
    /// Such as `[ledger]`.
    pub(crate) tables: &'r str,
}

impl<'r> Rules<'r> {
    /// Limits on the key alone.
    pub(crate) const fn of_key(key: &'r str) -> Self {
        Self {
            organization: "",
            project: "",
            member: "",
            key,
            tables: "",
        }
    }

    /// The text of `tollgate.toml`: one personal key, a provider of each maker at `upstream`.
    pub(crate) fn settings(&self, upstream: &str) -> String {
        let Self {
            organization,
            project,
            member,
            key,
            tables,
        } = self;
        let openai = provider("openai", "openai", &format!("{upstream}/v1"), PRICES);
        let anthropic = provider("anthropic", "anthropic", upstream, PRICES);
        let google = provider("google", "google-gemini", upstream, PRICES);
        format!(
            "{tables}

[organization]
name = \"Acme\"
limits = {{ {organization} }}

[[project]]
slug = \"stage\"
limits = {{ {project} }}

[[member]]
email = \"dev@example.com\"
limits = {{ {member} }}

[[api_key]]
name = \"caller\"
project = \"stage\"
member = \"dev@example.com\"
key = {{ value = \"{KEY}\" }}
limits = {{ {key} }}
{openai}{anthropic}{google}"
        )
    }

    /// A gateway under these rules.
    pub(crate) async fn stage(&self, upstream: &Upstream) -> Stage {
        let settings = self.settings(&upstream.url());
        start(Launch::new(env!("CARGO_BIN_EXE_tollgate"), &settings)).await
    }

    /// Puts these rules in force at a running gateway.
    pub(crate) async fn replace(&self, stage: &Stage, upstream: &Upstream) {
        reload(stage, &self.settings(&upstream.url())).await;
    }
}

/// Replaces the settings, asks for a reload and waits until it is done.
pub(crate) async fn reload(stage: &Stage, settings: &str) {
    const DONE: &str = "settings reloaded";
    let log = stage.gateway.log_lines();
    let before = log.iter().filter(|line| line.contains(DONE)).count();
    stage.launch.write_settings(settings);
    stage.gateway.signal(Signal::HUP);
    stage.gateway.wait_for_lines(DONE, before + 1).await;
}

/// A way to ask for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    Chat,
    Responses,
    Messages,
    Gemini,
}

impl Api {
    pub(crate) const ALL: [Self; 4] = [Self::Chat, Self::Responses, Self::Messages, Self::Gemini];

    /// Asks for `words` words, and states `cap` as the most.
    pub(crate) fn ask(self, words: u64, cap: Option<u64>) -> Ask {
        Ask {
            api: self,
            prompt: format!("[words={words}]"),
            cap,
            stream: false,
        }
    }
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) api: Api,
    pub(crate) prompt: String,
    pub(crate) cap: Option<u64>,
    pub(crate) stream: bool,
}

impl Ask {
    /// The same as a stream, if so.
    #[must_use]
    pub(crate) fn streamed(mut self, stream: bool) -> Self {
        self.stream = stream;
        self
    }

    /// A further directive to the provider, such as `[stall=3]`.
    #[must_use]
    pub(crate) fn directed(mut self, directive: &str) -> Self {
        self.prompt.push_str(directive);
        self
    }

    pub(crate) fn path(&self) -> &'static str {
        match (self.api, self.stream) {
            (Api::Chat, _) => "/proxy/openai/v1/chat/completions",
            (Api::Responses, _) => "/proxy/openai/v1/responses",
            (Api::Messages, _) => "/proxy/anthropic/v1/messages",
            (Api::Gemini, false) => "/proxy/google/v1beta/models/m:generateContent",
            (Api::Gemini, true) => "/proxy/google/v1beta/models/m:streamGenerateContent?alt=sse",
        }
    }

    pub(crate) fn body(&self) -> Value {
        let turn = json!([{ "role": "user", "content": self.prompt }]);
        match self.api {
            Api::Chat => json!({
                "model": "m", "stream": self.stream, "messages": turn,
                "max_completion_tokens": self.cap,
            }),
            Api::Responses => json!({
                "model": "m", "stream": self.stream, "input": turn,
                "max_output_tokens": self.cap,
            }),
            // Here a cap must be stated.
            Api::Messages => json!({
                "model": "m", "stream": self.stream, "messages": turn,
                "max_tokens": self.cap.unwrap_or(100_000),
            }),
            Api::Gemini => json!({
                "contents": [{ "role": "user", "parts": [{ "text": self.prompt }] }],
                "generationConfig": { "maxOutputTokens": self.cap },
            }),
        }
    }

    /// Sends it and waits for the head of the answer.
    pub(crate) async fn send(&self, stage: &Stage) -> Answered {
        stage.client.post(self.path(), &self.body()).await
    }

    /// The same, where no answer at all is a possible outcome.
    pub(crate) async fn try_send(&self, stage: &Stage) -> anyhow::Result<Answered> {
        let body = self.body().to_string().into();
        stage.client.try_send(Method::POST, self.path(), body).await
    }
}

/// What the upstream would charge for all it wrote, in nano-dollars.
pub(crate) fn bill(upstream: &Upstream) -> i64 {
    let bills = upstream.bill();
    let sum: u64 = bills
        .values()
        .map(|bill| bill.input_tokens * INPUT + bill.output_tokens * OUTPUT)
        .sum();
    i64::try_from(sum).expect("the bill is small")
}

/// Nano-dollars as they stand in settings.
pub(crate) fn dollars(nano: i64) -> String {
    format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000)
}
