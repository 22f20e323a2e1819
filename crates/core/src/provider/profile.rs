//! What is true of every provider of a kind: one table, one row per kind.
//!
//! Sources: the providers' API references and official SDKs. A base URL is what the SDK of that
//! provider calls so; what stands between it and an endpoint is the address's business
//! (`wire::address`).

mod clouds;
mod hosts;
mod makers;

use super::{OnClientGone, ProviderKind};
use crate::format::Format;

/// One row.
#[derive(Debug)]
pub struct Profile {
    /// The word in settings, storage and lists.
    pub word: &'static str,
    /// Where requests go.
    pub base_url: BaseUrl,
    /// Where a plain secret goes.
    pub auth: Auth,
    /// What it takes, natively or with its envelope's edits.
    pub formats: &'static [Format],
    /// Whether chat streams carry usage only when `stream_options.include_usage` asks for it.
    ///
    /// False where the field is refused or usage comes anyway; unknown compatible servers are
    /// asked, because most need it.
    pub stream_usage_on_request: bool,
    /// Where its models stand in the price data, in the order to look.
    pub price_providers: &'static [&'static str],
    /// Set where it passes requests on to others, and whoever served one sets its price.
    pub router: Option<Router>,
    /// Whether it stops billing when a stream is cancelled, unless settings say otherwise.
    pub cancel_stops_billing: bool,
}

impl Profile {
    /// What a vanished client means upstream, unless settings say otherwise: where the whole
    /// answer is billed anyway, its usage is worth reading.
    pub const fn on_client_gone(&self) -> OnClientGone {
        if self.cancel_stops_billing {
            OnClientGone::Cancel
        } else {
            OnClientGone::Drain
        }
    }
}

/// How a router tells who served a request, and where the price data has those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Router {
    /// The header of the answer that names who served it.
    pub served_by: &'static str,
    /// What stands before that name in the ids of the price data.
    pub price_prefix: &'static str,
}

/// Where requests go when settings name no other place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseUrl {
    /// There.
    Fixed(&'static str),
    /// A host that names the region.
    OfRegion {
        /// What stands before the region.
        before: &'static str,
        /// What follows it.
        after: &'static str,
    },
    /// Vertex's host of the location.
    OfLocation,
    /// Nowhere: settings must say.
    Required,
}

/// Where a plain secret goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer`.
    Bearer,
    /// This header.
    Header(&'static str),
}

/// The row of a kind.
pub(super) const fn of(kind: ProviderKind) -> &'static Profile {
    match kind {
        ProviderKind::OpenAi => &makers::OPENAI,
        ProviderKind::Anthropic => &makers::ANTHROPIC,
        ProviderKind::GoogleGemini => &makers::GOOGLE_GEMINI,
        ProviderKind::GoogleVertex => &clouds::GOOGLE_VERTEX,
        ProviderKind::Azure => &clouds::AZURE,
        ProviderKind::Bedrock => &clouds::BEDROCK,
        ProviderKind::BedrockMantle => &clouds::BEDROCK_MANTLE,
        ProviderKind::Groq => &makers::GROQ,
        ProviderKind::Mistral => &makers::MISTRAL,
        ProviderKind::HuggingFace => &hosts::HUGGINGFACE,
        ProviderKind::Ollama => &hosts::OLLAMA,
        ProviderKind::Doubleword => &hosts::DOUBLEWORD,
        ProviderKind::OpenRouter => &hosts::OPENROUTER,
        ProviderKind::DeepSeek => &hosts::DEEPSEEK,
        ProviderKind::XAi => &hosts::XAI,
        ProviderKind::Together => &hosts::TOGETHER,
        ProviderKind::Fireworks => &hosts::FIREWORKS,
        ProviderKind::Cerebras => &hosts::CEREBRAS,
        ProviderKind::OvhCloud => &hosts::OVHCLOUD,
        ProviderKind::OpenAiCompatible => &makers::OPENAI_COMPATIBLE,
        ProviderKind::AnthropicCompatible => &makers::ANTHROPIC_COMPATIBLE,
        ProviderKind::Simulated => &makers::SIMULATED,
    }
}

/// The common case: OpenAI's dialects, a bearer key, usage at the end of a stream when asked for.
const COMMON: Profile = Profile {
    word: "",
    base_url: BaseUrl::Required,
    auth: Auth::Bearer,
    formats: &[Format::OpenAiChat],
    stream_usage_on_request: true,
    price_providers: &[],
    router: None,
    cancel_stops_billing: true,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Site;

    #[test]
    fn every_kind_has_a_word_of_its_own_and_speaks_something() {
        let mut words: Vec<_> = ProviderKind::ALL.iter().map(|kind| kind.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ProviderKind::ALL.len());
        for kind in ProviderKind::ALL {
            assert_eq!(ProviderKind::from_word(kind.as_str()), Some(kind));
            assert!(!kind.formats().is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn a_cloud_s_host_follows_from_its_part() {
        let aws = |region: &str| Site {
            region: Some(region.to_owned()),
            ..Site::default()
        };
        let google = |location: &str| Site {
            location: Some(location.to_owned()),
            ..Site::default()
        };
        let url = |kind: ProviderKind, site: &Site| kind.default_base_url(site);
        assert_eq!(
            url(ProviderKind::Bedrock, &aws("us-east-1")).as_deref(),
            Some("https://bedrock-runtime.us-east-1.amazonaws.com")
        );
        assert_eq!(
            url(ProviderKind::Bedrock, &aws("cn-north-1")).as_deref(),
            Some("https://bedrock-runtime.cn-north-1.amazonaws.com.cn")
        );
        for (location, host) in [
            ("us-east5", "us-east5-aiplatform.googleapis.com"),
            ("global", "aiplatform.googleapis.com"),
            ("eu", "aiplatform.eu.rep.googleapis.com"),
        ] {
            assert_eq!(
                url(ProviderKind::GoogleVertex, &google(location)),
                Some(format!("https://{host}"))
            );
        }
        assert_eq!(url(ProviderKind::Bedrock, &Site::default()), None);
        assert_eq!(url(ProviderKind::Azure, &Site::default()), None);
    }
}
