//! Lists of models as each dialect's clients read them, and the list of all routes.
//!
//! We answer these ourselves: a provider's own list would name models that a key may not use.

use serde::Serialize;
use tollgate_core::format::Dialect;

/// A model that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// As requests name it.
    pub id: String,
    /// For people, where the price data has one.
    pub name: Option<String>,
    /// The slug of who serves it.
    pub owner: String,
    /// How many tokens it takes in, where that is known.
    pub context_window: Option<u64>,
    /// It makes embeddings, and nothing else.
    pub embeds: bool,
}

/// The models behind one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The first path segment.
    pub route: String,
    /// The word of the provider's kind, or of the first target's.
    pub provider: String,
    /// What may be asked for there.
    pub models: Vec<Model>,
}

/// The body of `GET …/models` in a dialect: whole, in one page, in the order given.
pub fn list(dialect: Dialect, models: &[Model]) -> Vec<u8> {
    match dialect {
        Dialect::Ollama => json(&OllamaList {
            models: models.iter().map(OllamaModel::from).collect(),
        }),
        Dialect::OpenAi | Dialect::Bedrock => json(&OpenAiList {
            object: "list",
            data: models.iter().map(OpenAiModel::from).collect(),
        }),
        Dialect::Anthropic => json(&AnthropicList {
            data: models.iter().map(AnthropicModel::from).collect(),
            has_more: false,
            first_id: models.first().map(|model| model.id.as_str()),
            last_id: models.last().map(|model| model.id.as_str()),
        }),
        Dialect::Google => json(&GoogleList {
            models: models.iter().map(GoogleModel::from).collect(),
        }),
    }
}

/// The body of `GET …/models/{id}` in a dialect.
pub fn one(dialect: Dialect, model: &Model) -> Vec<u8> {
    match dialect {
        Dialect::Ollama => json(&OllamaModel::from(model)),
        Dialect::OpenAi | Dialect::Bedrock => json(&OpenAiModel::from(model)),
        Dialect::Anthropic => json(&AnthropicModel::from(model)),
        Dialect::Google => json(&GoogleModel::from(model)),
    }
}

/// The body of `GET /proxy/models`, as the Logfire extension for VS Code reads it.
pub fn routes(routes: &[Route]) -> Vec<u8> {
    let entries: Vec<RouteEntry<'_>> = routes.iter().map(RouteEntry::from).collect();
    json(&entries)
}

#[derive(Serialize)]
struct OpenAiList<'a> {
    object: &'static str,
    data: Vec<OpenAiModel<'a>>,
}

#[derive(Serialize)]
struct OpenAiModel<'a> {
    id: &'a str,
    object: &'static str,
    /// Unix seconds; zero says unknown, for the SDKs want a number.
    created: u64,
    owned_by: &'a str,
}

impl<'a> From<&'a Model> for OpenAiModel<'a> {
    fn from(model: &'a Model) -> Self {
        Self {
            id: &model.id,
            object: "model",
            created: 0,
            owned_by: &model.owner,
        }
    }
}

#[derive(Serialize)]
struct AnthropicList<'a> {
    data: Vec<AnthropicModel<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

#[derive(Serialize)]
struct AnthropicModel<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    display_name: &'a str,
    /// The epoch says unknown, as in Anthropic's own lists.
    created_at: &'static str,
}

impl<'a> From<&'a Model> for AnthropicModel<'a> {
    fn from(model: &'a Model) -> Self {
        Self {
            kind: "model",
            id: &model.id,
            display_name: model.name.as_deref().unwrap_or(&model.id),
            created_at: "1970-01-01T00:00:00Z",
        }
    }
}

#[derive(Serialize)]
struct GoogleList<'a> {
    models: Vec<GoogleModel<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GoogleModel<'a> {
    name: String,
    display_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_token_limit: Option<u64>,
    supported_generation_methods: &'static [&'static str],
}

impl<'a> From<&'a Model> for GoogleModel<'a> {
    fn from(model: &'a Model) -> Self {
        Self {
            name: format!("models/{}", model.id),
            display_name: model.name.as_deref().unwrap_or(&model.id),
            input_token_limit: model.context_window,
            supported_generation_methods: &["generateContent", "countTokens"],
        }
    }
}

#[derive(Serialize)]
struct OllamaList<'a> {
    models: Vec<OllamaModel<'a>>,
}

/// What Ollama tells of a model on its disk, as far as it can be told of one elsewhere.
#[derive(Serialize)]
struct OllamaModel<'a> {
    name: &'a str,
    model: &'a str,
    modified_at: &'static str,
    size: u64,
    digest: &'static str,
}

impl<'a> From<&'a Model> for OllamaModel<'a> {
    fn from(model: &'a Model) -> Self {
        Self {
            name: &model.id,
            model: &model.id,
            modified_at: "1970-01-01T00:00:00Z",
            size: 0,
            digest: "",
        }
    }
}

#[derive(Serialize)]
struct RouteEntry<'a> {
    route: &'a str,
    provider: &'a str,
    models: Vec<RouteModel<'a>>,
    embedding_models: Vec<RouteModel<'a>>,
}

#[derive(Serialize)]
struct RouteModel<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_window: Option<u64>,
}

impl<'a> From<&'a Route> for RouteEntry<'a> {
    fn from(route: &'a Route) -> Self {
        let (embedding, generating): (Vec<&Model>, Vec<&Model>) =
            route.models.iter().partition(|model| model.embeds);
        let entries = |models: Vec<&'a Model>| models.into_iter().map(RouteModel::from).collect();
        Self {
            route: &route.route,
            provider: &route.provider,
            models: entries(generating),
            embedding_models: entries(embedding),
        }
    }
}

impl<'a> From<&'a Model> for RouteModel<'a> {
    fn from(model: &'a Model) -> Self {
        Self {
            id: &model.id,
            name: model.name.as_deref(),
            context_window: model.context_window,
        }
    }
}

/// Cannot fail: no map keys but strings, no floats.
fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn models() -> Vec<Model> {
        vec![
            Model {
                id: "gpt-5.2".to_owned(),
                name: Some("GPT 5.2".to_owned()),
                owner: "openai".to_owned(),
                context_window: Some(400_000),
                embeds: false,
            },
            Model {
                id: "embed".to_owned(),
                name: None,
                owner: "local".to_owned(),
                context_window: None,
                embeds: true,
            },
        ]
    }

    fn value(body: &[u8]) -> Value {
        serde_json::from_slice(body).expect("a list is JSON")
    }

    #[test]
    fn each_dialect_lists_in_its_own_shape() {
        let first = json!(
            {"id": "gpt-5.2", "object": "model", "created": 0, "owned_by": "openai"});
        let list_of = |dialect| value(&list(dialect, &models()));
        let openai = list_of(Dialect::OpenAi);
        assert_eq!(
            (&openai["object"], &openai["data"][0]),
            (&json!("list"), &first)
        );
        assert_eq!(value(&one(Dialect::OpenAi, &models()[0])), first);

        let anthropic = list_of(Dialect::Anthropic);
        assert_eq!(anthropic["first_id"], "gpt-5.2");
        assert_eq!(anthropic["last_id"], "embed");
        assert_eq!(anthropic["has_more"], false);
        let second = json!({"type": "model", "id": "embed", "display_name": "embed",
            "created_at": "1970-01-01T00:00:00Z"});
        assert_eq!(anthropic["data"][1], second);

        let google = list_of(Dialect::Google);
        assert_eq!(google["models"][0]["name"], "models/gpt-5.2");
        assert_eq!(google["models"][0]["inputTokenLimit"], 400_000);
        assert_eq!(google["models"][1].get("inputTokenLimit"), None);

        let ollama = list_of(Dialect::Ollama);
        assert_eq!(ollama["models"][1]["model"], "embed");
        assert_eq!(ollama["models"][0]["name"], "gpt-5.2");
    }

    #[test]
    fn an_empty_list_is_a_list() {
        assert_eq!(
            value(&list(Dialect::OpenAi, &[])),
            json!({"object": "list", "data": []})
        );
        assert_eq!(
            value(&list(Dialect::Anthropic, &[]))["first_id"],
            Value::Null
        );
        assert_eq!(value(&routes(&[])), json!([]));
    }

    #[test]
    fn routes_keep_embedding_models_apart() {
        let route = Route {
            route: "fast".to_owned(),
            provider: "openai".to_owned(),
            models: models(),
        };
        let expected = json!([{
            "route": "fast",
            "provider": "openai",
            "models": [{"id": "gpt-5.2", "name": "GPT 5.2", "context_window": 400_000}],
            "embedding_models": [{"id": "embed"}],
        }]);
        assert_eq!(value(&routes(&[route])), expected);
    }
}
