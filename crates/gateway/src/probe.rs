//! Trying a provider out: whether it can be reached, whether it takes our credential, which models
//! it has. For the operator at a command line, never on a request's path.
//!
//! It goes by the gateway's own client, so proxy, authorities, guard and signing are those of
//! requests. The calls are free wherever a provider has one that is; [`Call::what`] says what was
//! asked. What a provider says may repeat our credential: nothing of it leaves here unredacted.

mod call;
mod models;
mod redact;
#[cfg(test)]
mod tests;

use crate::upstream::{Client, FailureClass, SendError};
use bytes::Bytes;
use call::Step;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use redact::Redactor;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tollgate_core::provider::{Provider, ProviderKind};

/// How long all of it may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The longest answer that is read: the largest list of models is a tenth of it.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// What was found out about a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What was asked, in order. None of the simulated provider, which there is no need to ask.
    pub calls: Vec<Call>,
    /// What came of it.
    pub finding: Result<Good, Bad>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: &'static str,
    /// The URL, without a credential.
    pub url: String,
    /// What it asks for, and what that costs, in a few words.
    pub what: &'static str,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// How long it took, the body of the answer included.
    pub took: Duration,
}

/// The provider is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Good {
    /// Whether the answer proves that it takes our credential: everybody gets some lists.
    pub proven: bool,
    /// The names of its models, as it calls them; `None` where there is no list.
    pub models: Option<Vec<String>>,
}

/// It cannot be used as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// What is wrong.
    pub fault: Fault,
    /// What the provider said, or what we know of the failure: one line, bounded, without
    /// anything of the credential.
    pub said: Option<String>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No connection to it.
    Unreachable,
    /// No trusted connection to it.
    Untrusted,
    /// Too slow, or silent.
    Silent,
    /// The connection ended before the answer did.
    CutOff,
    /// The credential could not be had or put on a request.
    NoCredential,
    /// It does not know the credential.
    Refused,
    /// It knows the credential, which may not do this.
    Forbidden,
    /// It knows the credential, whose credit or rate is used up.
    Exhausted,
    /// There is no such endpoint.
    NotFound,
    /// What answers is not this API.
    NotTheApi,
    /// It has a fault of its own.
    Failing,
    /// It does not take the call.
    Rejected,
}

/// A whole answer.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Tries a provider out. Ends within half a minute.
pub async fn probe(provider: &Provider, client: &Client) -> Probe {
    let mut prober = Prober {
        provider,
        client,
        redactor: Redactor::new(provider.credential.as_ref()),
        until: Instant::now() + TIME_LIMIT,
        calls: Vec::new(),
    };
    let finding = prober.find_out().await;
    Probe {
        calls: prober.calls,
        finding,
    }
}

struct Prober<'p> {
    provider: &'p Provider,
    client: &'p Client,
    redactor: Redactor,
    until: Instant,
    calls: Vec<Call>,
}

impl Prober<'_> {
    async fn find_out(&mut self) -> Result<Good, Bad> {
        let good = |proven, models| Good { proven, models };
        match self.provider.kind {
            ProviderKind::Simulated => Ok(good(true, None)),
            ProviderKind::Bedrock => {
                self.prove(Step::ConverseWithNobody).await?;
                Ok(good(true, None))
            }
            ProviderKind::GoogleVertex => {
                self.prove(Step::CountGemini).await?;
                Ok(good(true, self.list().await.ok()))
            }
            ProviderKind::OpenRouter => {
                self.prove(Step::AboutKey).await?;
                Ok(good(true, self.list().await.ok()))
            }
            ProviderKind::AnthropicCompatible => match self.list().await {
                Err(Bad {
                    fault: Fault::NotFound,
                    ..
                }) => {
                    self.prove(Step::CountAnthropic).await?;
                    Ok(good(true, None))
                }
                listed => Ok(good(!self.lists_to_all().await, Some(listed?))),
            },
            ProviderKind::HuggingFace
            | ProviderKind::OvhCloud
            | ProviderKind::Ollama
            | ProviderKind::OpenAiCompatible => {
                let models = self.list().await?;
                Ok(good(!self.lists_to_all().await, Some(models)))
            }
            ProviderKind::OpenAi
            | ProviderKind::Anthropic
            | ProviderKind::GoogleGemini
            | ProviderKind::Azure
            | ProviderKind::BedrockMantle
            | ProviderKind::Groq
            | ProviderKind::Mistral
            | ProviderKind::Doubleword
            | ProviderKind::DeepSeek
            | ProviderKind::XAi
            | ProviderKind::Together
            | ProviderKind::Fireworks
            | ProviderKind::Cerebras => Ok(good(true, Some(self.list().await?))),
        }
    }

    /// Asks for something that only a good credential gets.
    async fn prove(&mut self, step: Step) -> Result<(), Bad> {
        let reply = self.ask(step).await?;
        if call::proves(step, &reply) {
            return Ok(());
        }
        self.judge(&reply)?;
        serde_json::from_slice::<serde::de::IgnoredAny>(&reply.body)
            .map(drop)
            .map_err(|_| self.bad(Fault::NotTheApi, &reply))
    }

    async fn list(&mut self) -> Result<Vec<String>, Bad> {
        let reply = self.ask(Step::ListModels).await?;
        self.judge(&reply)?;
        let models = models::names(&reply.body);
        let models = models.ok_or_else(|| self.bad(Fault::NotTheApi, &reply))?;
        let clean = |name: &String| self.redactor.line(name);
        Ok(models.iter().map(clean).collect())
    }

    /// Whether everybody gets the list: then it says nothing of our credential.
    async fn lists_to_all(&mut self) -> bool {
        if self.provider.credential.is_none() {
            return false;
        }
        let reply = self.ask(Step::ListModelsToAll).await;
        // Whatever else it says, it does not ask who we are.
        !reply.is_ok_and(|reply| matches!(reply.status.as_u16(), 401 | 403))
    }

    async fn ask(&mut self, step: Step) -> Result<Reply, Bad> {
        let unfit = |error: tollgate_core::error::Error| Bad {
            fault: Fault::NoCredential,
            said: Some(error.context().unwrap_or(error.message()).to_owned()),
        };
        let provider = call::addressee(step, self.provider);
        let request = call::request(step, &provider).map_err(unfit)?;
        let mut call = Call {
            method: if request.method() == http::Method::GET {
                "GET"
            } else {
                "POST"
            },
            url: request.uri().to_string(),
            what: step.what(),
            status: None,
            took: Duration::ZERO,
        };
        let start = Instant::now();
        let asked = timeout_at(self.until, async {
            let answer = self.client.send(&provider, request).await;
            let answer = answer.map_err(|error| self.not_sent(&error))?;
            call.status = Some(answer.status.as_u16());
            let body = Limited::new(answer.body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| Bad {
                fault: Fault::CutOff,
                said: Some(self.redactor.line(&error.to_string())),
            })?;
            Ok(Reply {
                status: answer.status,
                headers: answer.headers,
                body: body.to_bytes(),
            })
        });
        let asked = asked.await.unwrap_or_else(|_late| {
            let seconds = TIME_LIMIT.as_secs();
            Err(Bad {
                fault: Fault::Silent,
                said: Some(format!("no answer within {seconds} s")),
            })
        });
        call.took = start.elapsed();
        self.calls.push(call);
        asked
    }

    fn not_sent(&self, error: &SendError) -> Bad {
        let fault = match error.class {
            FailureClass::Unreachable => Fault::Unreachable,
            FailureClass::Tls => Fault::Untrusted,
            FailureClass::ConnectTimeout | FailureClass::HeadTimeout => Fault::Silent,
            FailureClass::Reset => Fault::CutOff,
            FailureClass::Garbled => Fault::NotTheApi,
            FailureClass::Credential => Fault::NoCredential,
        };
        let error = &error.error;
        let said = error.context().unwrap_or(error.message());
        Bad {
            fault,
            said: Some(self.redactor.line(said)),
        }
    }

    /// What a status says.
    fn judge(&self, reply: &Reply) -> Result<(), Bad> {
        let fault = match reply.status.as_u16() {
            200..=299 => return Ok(()),
            300..=399 => Fault::NotTheApi,
            401 | 407 => Fault::Refused,
            403 if call::is_about_key(&reply.headers) => Fault::Refused,
            403 => Fault::Forbidden,
            402 | 429 => Fault::Exhausted,
            404 | 405 | 410 | 501 => Fault::NotFound,
            500..=599 => Fault::Failing,
            _ => Fault::Rejected,
        };
        Err(self.bad(fault, reply))
    }

    fn bad(&self, fault: Fault, reply: &Reply) -> Bad {
        Bad {
            fault,
            said: models::message(&reply.headers, &reply.body)
                .map(|message| self.redactor.line(&message)),
        }
    }
}
