//! Whose manners a request is answered with, where makers differ inside one format.

/// A maker, or a cloud, that has ways of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum House {
    /// The maker of the format itself: OpenAI, Anthropic, AI Studio, Bedrock, Ollama.
    Maker,
    /// `/azure/…`: content-filter results before the first chunk of a chat.
    Azure,
    /// `/google-vertex/…`: usage on the last chunk of a stream only.
    Vertex,
    /// `/groq/…`: usage inside `x_groq`.
    Groq,
    /// `/mistral/…`: usage on the chunk that ends a chat.
    Mistral,
    /// `/huggingface/…`: a header tells who served.
    HuggingFace,
}

impl House {
    /// By the first segment of the path that is not a gateway's own `proxy`: real houses have hosts
    /// of their own, and here they share one socket.
    pub fn of(path: &str) -> Self {
        let mut segments = path.split('/').skip(1);
        match segments
            .find(|segment| *segment != "proxy")
            .unwrap_or_default()
        {
            "azure" => Self::Azure,
            "google-vertex" => Self::Vertex,
            "groq" => Self::Groq,
            "mistral" => Self::Mistral,
            "huggingface" => Self::HuggingFace,
            _ => Self::Maker,
        }
    }
}
