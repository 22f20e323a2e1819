//! The items that a Responses request puts in.
//!
//! Clients send back the items of earlier answers as they came, ids and all: what carries its own
//! content is just that, whatever its id. An item without content stands for one that is stored at
//! the provider, which knows it by its id alone: that id is the id of an object.

use super::places::Place;
use crate::{
    json::Text,
    measure::{Measure, Rules},
};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, fmt};

/// Reads `input`: a text, an item, or a list of items.
pub(super) struct Items<'m>(pub(super) &'m mut Measure);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of items as `input`")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.0.add_text(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Items(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let measure = self.0;
        let mut item = Item::default();
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            measure.add_text(&key);
            if key == "id" {
                let id: Option<Text<'de>> = map.next_value()?;
                item.ids.extend(id.map(|Text(id)| id));
                continue;
            }
            if key == "type" {
                let kind: Option<Text<'de>> = map.next_value()?;
                if let Some(Text(kind)) = kind {
                    measure.unseen_input |= Place::Content.type_is_unseen(&kind);
                    measure.add_text(&kind);
                    item.stands = item.stands.max(Stands::of(&kind));
                }
                continue;
            }
            let before = (measure.text_bytes, measure.media_tokens);
            map.next_value_seed(measure.walk(Place::Content.read(&key)))?;
            if before != (measure.text_bytes, measure.media_tokens) {
                item.note(&key);
            }
        }
        let is_reference = item.is_reference();
        for id in &item.ids {
            if is_reference {
                measure.add_object(id)?;
            } else {
                measure.add_text(id);
            }
        }
        Ok(())
    }
}

/// What stands in one item.
#[derive(Default)]
struct Item<'de> {
    /// Its ids. Should it have two, either may be the one that counts.
    ids: Vec<Cow<'de, str>>,
    stands: Stands,
    /// It brings what its kind is made of.
    has_content: bool,
    /// It says more than its id, its type and how it stands.
    says_more: bool,
}

/// What an item of a type stands for. Of two types the later one of these is meant, which can only
/// make the gateway look twice.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stands {
    /// It has no type: a message, or a reference when there is nothing but an id.
    #[default]
    Untyped,
    /// For itself.
    Itself,
    /// For itself with its content, and without it for what is stored under its id.
    Either,
    /// For what is stored under its id.
    Reference,
}

impl Stands {
    fn of(kind: &str) -> Self {
        match kind {
            "item_reference" => Self::Reference,
            "reasoning" | "image_generation_call" => Self::Either,
            _ => Self::Itself,
        }
    }
}

impl Item<'_> {
    /// Takes note of a member that says something.
    fn note(&mut self, key: &str) {
        self.has_content |= matches!(key, "encrypted_content" | "content" | "summary" | "result");
        self.says_more |= key != "status";
    }

    fn is_reference(&self) -> bool {
        match self.stands {
            Stands::Untyped => !self.says_more,
            Stands::Itself => false,
            Stands::Either => !self.has_content,
            Stands::Reference => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::openai::responses_facts;

    fn objects(items: &str) -> Vec<String> {
        let body = format!(r#"{{"model":"m","input":{items}}}"#);
        let facts = responses_facts(body.as_bytes()).expect(items);
        assert_eq!(facts.unseen_input, !facts.objects.is_empty(), "{items}");
        facts.objects
    }

    #[test]
    fn an_item_without_content_is_the_object_that_its_id_names() {
        for item in [
            r#"{"type":"item_reference","id":"x_1"}"#,
            r#"{"id":"x_1","type":"item_reference","content":"a disguise"}"#,
            r#"{"type":"message","id":"x_1","type":"item_reference"}"#,
            r#"{"id":"x_1"}"#,
            r#"{"id":"x_1","type":null}"#,
            r#"{"type":"reasoning","id":"x_1","summary":[],"encrypted_content":null}"#,
            r#"{"id":"x_1","type":"image_generation_call","status":"completed","result":null}"#,
        ] {
            assert_eq!(objects(&format!("[{item}]")), ["x_1"], "{item}");
            assert_eq!(objects(item), ["x_1"], "{item}");
        }
        let two = r#"[{"type":"item_reference","id":"x_1","\u0069d":"x_2"}]"#;
        assert_eq!(objects(two), ["x_1", "x_2"]);
    }

    #[test]
    fn items_that_are_sent_back_whole_name_no_object() {
        for item in [
            r#""hi""#,
            r#"{"id":"m_1","role":"user","content":"hi"}"#,
            r#"{"type":"message","id":"m_1","role":"assistant","status":"completed",
                "content":[{"type":"output_text","text":"hi","annotations":[]}]}"#,
            r#"{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAA"}"#,
            r#"{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"so"}]}"#,
            r#"{"type":"reasoning","id":"rs_1","content":[{"type":"reasoning_text","text":"x"}]}"#,
            r#"{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"}"#,
            r#"{"type":"function_call_output","call_id":"c","output":"done"}"#,
            r#"{"type":"web_search_call","id":"ws_1","status":"completed"}"#,
            r#"{"type":"image_generation_call","id":"ig_1","result":"iVBORw0KGgo="}"#,
        ] {
            assert_eq!(objects(&format!("[{item}]")), [""; 0], "{item}");
        }
        assert_eq!(objects("null"), [""; 0]);
    }
}
