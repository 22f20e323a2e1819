//! What many requests handed in at once ask for, summed by model: enough to hold what they may
//! cost, to see whether their caller may use their models, and where they must go.

use crate::{
    anthropic,
    endpoint::Endpoint,
    facts::{self, CacheWrite, OBJECTS_MAX, RequestFacts},
    json::{self, Members, Text},
};
use http::{HeaderMap, Method};
use serde::{
    Deserialize, Serialize,
    de::{IgnoredAny, MapAccess},
};
use serde_json::value::RawValue;
use tollgate_core::{
    error::{Error, Kind},
    format::{Format, Operation},
};

/// The most models of one batch. (`OpenAI` takes one.)
pub const MODELS_MAX: usize = 16;

/// What can be held by tokens.
const MEASURED: [Format; 4] = [
    Format::OpenAiChat,
    Format::OpenAiResponses,
    Format::OpenAiCompletions,
    Format::OpenAiEmbeddings,
];

/// The sums of one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchWork {
    /// By model, each once, at most [`MODELS_MAX`].
    pub models: Vec<ModelWork>,
    /// Stored objects that its requests read, each once, at most [`OBJECTS_MAX`].
    pub objects: Vec<String>,
    /// Why it cannot be summed; what is above is not all of it then.
    pub problem: Option<String>,
}

/// What the requests to one model ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelWork {
    /// The model.
    pub model: String,
    /// How many requests name it, as their model or for a tool of theirs.
    pub requests: u64,
    /// UTF-8 bytes of all text the model will read.
    pub text_bytes: u64,
    /// A bound in tokens for inline media.
    pub media_tokens: u64,
    /// The longest of its requests: text bytes and media tokens together.
    pub longest: u64,
    /// Output tokens that requests with a cap may use, all choices together.
    pub capped_output: u64,
    /// Answers without a cap, all choices together.
    pub uncapped: u64,
    /// Requests that read more than they show.
    pub unseen: u64,
    /// The dearest cache write: 0 none, 1 short, 2 long.
    pub cache_write: u8,
}

impl ModelWork {
    /// The dearest cache write that is asked for.
    pub fn cache_write(&self) -> CacheWrite {
        match self.cache_write {
            0 => CacheWrite::No,
            1 => CacheWrite::Short,
            _ => CacheWrite::Long,
        }
    }
}

impl BatchWork {
    /// How many requests it holds.
    pub fn requests(&self) -> u64 {
        self.models
            .iter()
            .fold(0, |sum, work| sum.saturating_add(work.requests))
    }

    /// The model of all of it, when there is one.
    pub fn only_model(&self) -> Option<&str> {
        match self.models.as_slice() {
            [only] => Some(&only.model),
            _ => None,
        }
    }

    /// Adds a request.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] when it is one too many of something.
    pub(super) fn add(&mut self, facts: &RequestFacts) -> Result<(), Error> {
        for id in &facts.objects {
            if self.objects.contains(id) {
                continue;
            }
            if self.objects.len() >= OBJECTS_MAX {
                return Err(too_many("stored objects", OBJECTS_MAX));
            }
            self.objects.push(id.clone());
        }
        // What works on a request besides its model may read and write as much.
        for model in std::iter::once(&facts.model).chain(&facts.other_models) {
            self.at(model)?.add(facts);
        }
        Ok(())
    }

    fn at(&mut self, model: &str) -> Result<&mut ModelWork, Error> {
        let known = self.models.iter().position(|work| work.model == model);
        let place = known.unwrap_or(self.models.len());
        if known.is_none() {
            if place >= MODELS_MAX {
                return Err(too_many("models", MODELS_MAX));
            }
            self.models.push(ModelWork {
                model: model.to_owned(),
                ..ModelWork::default()
            });
        }
        self.models
            .get_mut(place)
            .ok_or_else(|| too_many("models", MODELS_MAX))
    }

    /// Adds a line of a batch file: `{"custom_id","method","url","body"}`.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] when it is no request of an endpoint there is.
    pub(super) fn add_line(&mut self, line: &[u8]) -> Result<(), Error> {
        let line: Line<'_> = json::parse(line).ok_or_else(|| bad("is not a batch request"))?;
        let Text(url) = &line.url;
        let (path, query) = url
            .split_once('?')
            .map_or((&**url, None), |(p, q)| (p, Some(q)));
        let endpoint = Endpoint::of(&Method::POST, path, query, &HeaderMap::new());
        let endpoint = endpoint
            .filter(|found| MEASURED.contains(&found.format))
            .filter(|found| matches!(found.operation, Operation::Generate | Operation::Embed))
            .ok_or_else(|| bad(&format!("asks for `{}`", shown(url))))?;
        // Whether the path or the body names the model there, the provider decides.
        if endpoint.model.is_some() {
            return Err(bad(&format!(
                "asks for `{}`, below a deployment: leave that out of the path, and name it as \
                 the `model` of the body",
                shown(url)
            )));
        }
        self.add(&facts::read(&endpoint, None, line.body.get().as_bytes())?)
    }
}

impl ModelWork {
    fn add(&mut self, facts: &RequestFacts) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.requests, 1);
        add(&mut self.text_bytes, facts.text_bytes);
        add(&mut self.media_tokens, facts.media_tokens);
        add(&mut self.unseen, u64::from(facts.unseen_input));
        let length = facts.text_bytes.saturating_add(facts.media_tokens);
        self.longest = self.longest.max(length);
        let choices = facts.choices.max(1);
        match facts.output_cap {
            Some(cap) => add(&mut self.capped_output, cap.saturating_mul(choices)),
            None => add(&mut self.uncapped, choices),
        }
        self.cache_write = self.cache_write.max(match facts.cache_write {
            CacheWrite::No => 0,
            CacheWrite::Short => 1,
            CacheWrite::Long => 2,
        });
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    url: Text<'a>,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// What `{"requests":[{"custom_id","params"},…]}` asks for.
pub(super) fn of_messages(body: &[u8]) -> Result<BatchWork, Error> {
    let mut requests = Requests::default();
    json::read_object(body, &mut requests)?;
    let mut work = BatchWork::default();
    for (index, request) in requests.0.iter().enumerate() {
        let facts = anthropic::facts(request.params.get().as_bytes());
        facts
            .and_then(|facts| work.add(&facts))
            .map_err(|error| at(&format!("request {} of the batch", index + 1), &error))?;
    }
    if work.models.is_empty() {
        return Err(Error::new(
            Kind::BadRequest,
            "the batch holds no request: put them into `requests`",
        ));
    }
    Ok(work)
}

#[derive(Default)]
struct Requests<'de>(Vec<Params<'de>>);

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    params: &'a RawValue,
}

impl<'de> Members<'de> for Requests<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key == "requests" {
            self.0 = map.next_value()?;
        } else {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// The same error, with where it stands.
pub(super) fn at(place: &str, error: &Error) -> Error {
    Error::new(Kind::BadRequest, format!("{place}: {}", error.message()))
}

fn bad(problem: &str) -> Error {
    Error::new(Kind::BadRequest, problem.to_owned())
}

fn too_many(what: &str, most: usize) -> Error {
    bad(&format!("names more than {most} {what}"))
}

fn shown(url: &str) -> String {
    url.chars().take(128).collect()
}
