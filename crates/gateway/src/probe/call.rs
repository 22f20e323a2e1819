//! The calls that try a provider out, cheapest first: what they ask, and what answers prove.

use super::Reply;
use crate::upstream::RequestBody;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use std::borrow::Cow;
use tollgate_core::{
    error::{Error, Kind},
    format::{Dialect, Format, Operation},
    provider::{Provider, ProviderKind, Site},
};
use tollgate_wire::{address, endpoint::Endpoint};

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Which models are there?
    ListModels,
    /// Would anybody be told?
    ListModelsToAll,
    /// How many tokens has a message? Of Anthropic's dialect, wherever it is spoken.
    CountAnthropic,
    /// The same of Google's: besides the credential it needs the project and the location.
    CountGemini,
    /// What may this key do? `OpenRouter` tells; its models it tells everybody.
    AboutKey,
    /// Bedrock's list of models is at another host, and its answers cost money. That a model does
    /// not exist it tells only those whose credential it has checked.
    ConverseWithNobody,
}

/// Models whose tokens are counted: long-lived ones, and it does not matter if they are gone.
const COUNTED_CLAUDE: &str = "claude-sonnet-4-5";
const COUNTED_GEMINI: &str = "gemini-2.5-flash";

/// A model that does not exist.
const NOBODY: &str = "tollgate.nobody-v1:0";

impl Step {
    /// What it asks for and what that costs.
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::ListModels => "list of models, free",
            Self::ListModelsToAll => "the same without the credential",
            Self::CountAnthropic | Self::CountGemini => "count of tokens, free",
            Self::AboutKey => "facts about the key, free",
            Self::ConverseWithNobody => "a model that does not exist, free",
        }
    }

    const fn body(self) -> &'static str {
        match self {
            Self::ListModels | Self::ListModelsToAll | Self::AboutKey => "",
            Self::CountAnthropic => {
                r#"{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"hi"}]}"#
            }
            Self::CountGemini => r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#,
            Self::ConverseWithNobody => {
                r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":1}}"#
            }
        }
    }
}

/// The provider as a step addresses it.
pub(super) fn addressee(step: Step, provider: &Provider) -> Cow<'_, Provider> {
    match (step, provider.kind) {
        (Step::ListModelsToAll, _) => Cow::Owned(Provider {
            credential: None,
            ..provider.clone()
        }),
        // A publisher's models are in no project.
        (Step::ListModels, ProviderKind::GoogleVertex) => Cow::Owned(Provider {
            site: Site {
                project: None,
                ..provider.site.clone()
            },
            ..provider.clone()
        }),
        _ => Cow::Borrowed(provider),
    }
}

/// The request of a step.
///
/// # Errors
/// When the provider's settings do not make a URL.
pub(super) fn request(step: Step, provider: &Provider) -> Result<Request<RequestBody>, Error> {
    let url = url(step, provider)?;
    let uri: Uri = url.parse().map_err(|_| {
        Error::new(Kind::Unavailable, "this provider has no usable address").with_context(url)
    })?;
    let body = step.body();
    let mut request = Request::new(RequestBody::from(Bytes::from_static(body.as_bytes())));
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    if lists_like(provider.kind).dialect() == Dialect::Anthropic {
        let version = HeaderValue::from_static("2023-06-01");
        headers.insert("anthropic-version", version);
    }
    if !body.is_empty() {
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(header::CONTENT_LENGTH, body.len().into());
        *request.method_mut() = Method::POST;
    }
    Ok(request)
}

fn url(step: Step, provider: &Provider) -> Result<String, Error> {
    let endpoint = |format, operation, tail: &str, query: &str| Endpoint {
        format,
        operation,
        model: None,
        stream: false,
        object: None,
        tail: tail.to_owned(),
        query: query.to_owned(),
    };
    match step {
        Step::ListModels | Step::ListModelsToAll => {
            let format = lists_like(provider.kind);
            let query = match format.dialect() {
                Dialect::Anthropic => "limit=1000",
                Dialect::Google if provider.kind == ProviderKind::GoogleGemini => "pageSize=1000",
                Dialect::OpenAi | Dialect::Google | Dialect::Bedrock | Dialect::Ollama => "",
            };
            let endpoint = endpoint(format, Operation::ListModels, "", query);
            address::url(provider, &endpoint, "")
        }
        Step::AboutKey => {
            let endpoint = endpoint(Format::OpenAiChat, Operation::ReadObject, "/key", "");
            address::url(provider, &endpoint, "")
        }
        Step::CountAnthropic => {
            let (format, operation) = (Format::AnthropicMessages, Operation::CountTokens);
            let endpoint = endpoint(format, operation, "/messages/count_tokens", "");
            address::url(provider, &endpoint, COUNTED_CLAUDE)
        }
        Step::CountGemini => {
            let (format, operation) = (Format::GeminiGenerate, Operation::CountTokens);
            let endpoint = endpoint(format, operation, ":countTokens", "");
            address::url(provider, &endpoint, COUNTED_GEMINI)
        }
        Step::ConverseWithNobody => {
            let (format, operation) = (Format::BedrockConverse, Operation::Generate);
            let endpoint = endpoint(format, operation, "/converse", "");
            address::url(provider, &endpoint, NOBODY)
        }
    }
}

/// The dialect in which a kind lists its models.
const fn lists_like(kind: ProviderKind) -> Format {
    match kind {
        ProviderKind::Anthropic | ProviderKind::AnthropicCompatible => Format::AnthropicMessages,
        ProviderKind::GoogleGemini | ProviderKind::GoogleVertex => Format::GeminiGenerate,
        _ => Format::OpenAiChat,
    }
}

/// Whether an answer that is no success proves the credential all the same.
pub(super) fn proves(step: Step, reply: &Reply) -> bool {
    match (step, reply.status.as_u16()) {
        // The model is gone, or not at this place.
        (Step::CountGemini, 404) | (Step::CountAnthropic, 400) => true,
        (Step::ConverseWithNobody, 400 | 404) => !error_type(&reply.headers).is_empty(),
        // Somebody it knows, who may call other models.
        (Step::ConverseWithNobody, 403) => {
            let text = String::from_utf8_lossy(&reply.body);
            error_type(&reply.headers).starts_with("AccessDenied")
                && text.contains("not authorized to perform")
        }
        _ => false,
    }
}

/// Whether AWS refuses the keys or the signature, and not what is done with them: it says 403 to
/// both.
pub(super) fn is_about_key(headers: &HeaderMap) -> bool {
    let kind = error_type(headers);
    [
        "UnrecognizedClient",
        "InvalidSignature",
        "ExpiredToken",
        "MissingAuthentication",
    ]
    .iter()
    .any(|start| kind.starts_with(start))
}

/// `UnrecognizedClientException`, of AWS.
pub(super) fn error_type(headers: &HeaderMap) -> &str {
    let value = headers.get("x-amzn-errortype");
    let value = value.and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(':').next().unwrap_or("")
}
