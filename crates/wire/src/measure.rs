//! How much the model will read: a visitor that walks any JSON value and adds up its text, its
//! inline media and its references to what the body does not show.
//!
//! A format says by [`Rules`] what its keys mean; what it does not know is text. So a field that
//! is new on the wire can only make the measure larger, never hide input from it.

use crate::{
    facts::{CacheWrite, OBJECTS_MAX, OTHER_MODELS_MAX},
    json::Text,
    media::{tokens_of_base64, tokens_of_data_url},
};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// What was found: parts of [`crate::facts::RequestFacts`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measure {
    /// UTF-8 bytes of strings and keys, digits of numbers.
    pub(crate) text_bytes: u64,
    /// Tokens of inline media, by the table of [`crate::media`].
    pub(crate) media_tokens: u64,
    /// Something refers to what the body does not show.
    pub(crate) unseen_input: bool,
    /// The dearest cache write asked for.
    pub(crate) cache_write: CacheWrite,
    /// Models that tools name, each once.
    pub(crate) other_models: Vec<String>,
    /// Ids of stored objects, each once.
    pub(crate) objects: Vec<String>,
}

/// How a value is to be read. `R` are the rules for what stands inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read<R> {
    /// Strings are text; members are read by `R`.
    Inside(R),
    /// Everything inside is text, whatever its keys (schemas, tool arguments).
    Text,
    /// The model does not read it.
    Skip,
    /// Strings are base64 media or `data:` URLs; members are read by `R`.
    Media(R),
    /// Strings are URLs: `data:` is media, any other is unseen input; members are read by `R`.
    Url(R),
    /// Strings name something stored elsewhere, which is unseen input; members are read by `R`.
    Reference(R),
    /// Strings are ids of stored objects, which is unseen input; members are read by `R`.
    Object(R),
    /// Strings name further models that work on the request; members are read by `R`.
    Model(R),
    /// A string is the type of a part, item or tool: [`Rules::type_is_unseen`] judges it.
    Type(R),
    /// An object asks for a cache write: `ttl` says for how long (short when it is absent).
    CacheControl,
}

/// What the keys and type words of a format mean. A value of the implementing type is the place
/// in the request, so that a key may mean one thing in a tool and another in a message.
pub(crate) trait Rules: Copy {
    /// How the value of the member `key` of an object at this place is to be read.
    fn read(self, key: &str) -> Read<Self>;

    /// Whether a part, item or tool of this `type` brings in what the body does not show.
    /// By default none does.
    fn type_is_unseen(self, _kind: &str) -> bool {
        false
    }
}

impl Measure {
    /// Walks the value behind `deserializer`. As a seed: [`Measure::walk`].
    pub(crate) fn walk<R: Rules>(&mut self, how: Read<R>) -> Meter<'_, R> {
        Meter { measure: self, how }
    }

    /// Adds a text the model will read.
    pub(crate) fn add_text(&mut self, text: &str) {
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.text_bytes = self.text_bytes.saturating_add(bytes);
    }

    /// Adds inline media.
    pub(crate) fn add_media(&mut self, tokens: u64) {
        self.media_tokens = self.media_tokens.saturating_add(tokens);
    }

    fn add_url(&mut self, url: &str) {
        match tokens_of_data_url(url) {
            Some(tokens) => self.add_media(tokens),
            None => self.unseen_input |= !url.is_empty(),
        }
    }

    /// Adds a model that a tool names.
    fn add_model<E: de::Error>(&mut self, name: &str) -> Result<(), E> {
        if name.is_empty() || self.other_models.iter().any(|known| known == name) {
            return Ok(());
        }
        if self.other_models.len() >= OTHER_MODELS_MAX {
            return Err(E::custom(format_args!(
                "its tools name more than {OTHER_MODELS_MAX} models: name fewer"
            )));
        }
        self.other_models.push(name.to_owned());
        Ok(())
    }

    /// Adds the id of a stored object.
    pub(crate) fn add_object<E: de::Error>(&mut self, id: &str) -> Result<(), E> {
        if id.is_empty() {
            return Ok(());
        }
        self.unseen_input = true;
        if self.objects.iter().any(|known| known == id) {
            return Ok(());
        }
        if self.objects.len() >= OBJECTS_MAX {
            return Err(E::custom(format_args!(
                "it names more than {OBJECTS_MAX} stored objects: name fewer"
            )));
        }
        self.objects.push(id.to_owned());
        Ok(())
    }

    fn add_digits(&mut self, number: u64) {
        let digits = number.checked_ilog10().unwrap_or(0);
        self.text_bytes = self.text_bytes.saturating_add(u64::from(digits) + 1);
    }
}

/// Walks one JSON value and adds what it finds to a [`Measure`]; a seed for `next_value_seed`.
pub(crate) struct Meter<'m, R> {
    measure: &'m mut Measure,
    how: Read<R>,
}

impl<'de, R: Rules> DeserializeSeed<'de> for Meter<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.how {
            Read::Skip => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de, R: Rules> Visitor<'de> for Meter<'_, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.measure.add_text("true");
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.measure.add_digits(number);
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.measure.add_text("-");
        self.measure.add_digits(number.unsigned_abs());
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        // As many digits as a double can need: fractions are rare in requests.
        self.measure.add_digits(u64::MAX);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        match self.how {
            Read::Inside(_) | Read::Text => self.measure.add_text(text),
            Read::Skip | Read::CacheControl => {}
            Read::Media(_) => match tokens_of_data_url(text) {
                Some(tokens) => self.measure.add_media(tokens),
                None => self.measure.add_media(tokens_of_base64(text)),
            },
            Read::Url(_) => self.measure.add_url(text),
            Read::Reference(_) => self.measure.unseen_input |= !text.is_empty(),
            Read::Object(_) => self.measure.add_object(text)?,
            Read::Model(_) => {
                self.measure.add_text(text);
                self.measure.add_model(text)?;
            }
            Read::Type(rules) => {
                self.measure.unseen_input |= rules.type_is_unseen(text);
                self.measure.add_text(text);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { measure, how } = self;
        while items
            .next_element_seed(Meter {
                measure: &mut *measure,
                how,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { measure, how } = self;
        let rules = match how {
            Read::CacheControl => return cache_control(measure, map),
            Read::Text | Read::Skip => None,
            Read::Inside(rules)
            | Read::Media(rules)
            | Read::Url(rules)
            | Read::Reference(rules)
            | Read::Object(rules)
            | Read::Model(rules)
            | Read::Type(rules) => Some(rules),
        };
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            measure.add_text(&key);
            let how = rules.map_or(Read::Text, |rules| rules.read(&key));
            map.next_value_seed(Meter {
                measure: &mut *measure,
                how,
            })?;
        }
        Ok(())
    }
}

/// `{"type":"ephemeral","ttl":"1h"}`: up to half an hour is short (the providers' default terms
/// are 5 and 30 minutes), all else is long.
fn cache_control<'de, A: MapAccess<'de>>(
    measure: &mut Measure,
    mut map: A,
) -> Result<(), A::Error> {
    let mut write = CacheWrite::Short;
    while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
        if key == "ttl" {
            if let Some(Text(ttl)) = map.next_value::<Option<Text<'de>>>()? {
                write = match ttl.as_ref() {
                    "5m" | "30m" => CacheWrite::Short,
                    _ => CacheWrite::Long,
                };
            }
        } else {
            map.next_value::<IgnoredAny>()?;
        }
    }
    measure.cache_write = measure.cache_write.max(write);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Plain;

    impl Rules for Plain {
        fn read(self, key: &str) -> Read<Self> {
            match key {
                "url" => Read::Url(self),
                "data" => Read::Media(self),
                "file_id" => Read::Reference(self),
                "type" => Read::Type(self),
                "arguments" => Read::Text,
                "id" => Read::Skip,
                "cache_control" => Read::CacheControl,
                _ => Read::Inside(self),
            }
        }

        fn type_is_unseen(self, kind: &str) -> bool {
            kind == "mcp"
        }
    }

    fn measured(json: &str) -> Measure {
        let mut measure = Measure::default();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        measure
            .walk(Read::Inside(Plain))
            .deserialize(&mut deserializer)
            .expect("the value is JSON");
        measure
    }

    #[test]
    fn keys_strings_and_digits_are_text_and_escapes_count_as_what_they_mean() {
        assert_eq!(
            measured(r#"{"a":["bc",123,-4,true,null]}"#).text_bytes,
            1 + 2 + 3 + 2 + 4
        );
        assert_eq!(measured(r#""\u00e4\n""#).text_bytes, 3);
        assert_eq!(
            measured(r#"{"a":"b","id":"not read"}"#).text_bytes,
            1 + 1 + 2
        );
    }

    #[test]
    fn media_counts_by_table_and_not_as_text() {
        let found =
            measured(r#"{"data":"iVBORw0KGgo=","url":"data:image/png;base64,iVBORw0KGgo="}"#);
        assert_eq!(
            found,
            Measure {
                text_bytes: 7,
                media_tokens: 10_000,
                ..Measure::default()
            }
        );
    }

    #[test]
    fn references_are_unseen_input_but_not_inside_tool_arguments() {
        assert!(measured(r#"[{"url":"https://example.com"}]"#).unseen_input);
        assert!(measured(r#"{"file_id":"file-1"}"#).unseen_input);
        assert!(measured(r#"{"type":"mcp"}"#).unseen_input);
        let arguments =
            r#"{"arguments":{"url":"https://a","file_id":"f","type":"mcp","data":"x"}}"#;
        let found = measured(arguments);
        assert!(!found.unseen_input);
        assert_eq!(found.media_tokens, 0);
        assert!(!measured(r#"{"url":{"type":"string"},"file_id":null}"#).unseen_input);
    }

    #[test]
    fn the_longest_cache_write_wins() {
        assert_eq!(measured("{}").cache_write, CacheWrite::No);
        assert_eq!(
            measured(r#"{"cache_control":null}"#).cache_write,
            CacheWrite::No
        );
        let short = r#"{"cache_control":{"type":"ephemeral"}}"#;
        assert_eq!(measured(short).cache_write, CacheWrite::Short);
        let both = r#"[{"cache_control":{"ttl":"1h"}},{"cache_control":{"ttl":"5m"}}]"#;
        assert_eq!(measured(both).cache_write, CacheWrite::Long);
    }
}
