//! Requests with a body that no serialiser would write, and what must become of them upstream.

use super::{
    dice::Dice,
    fixtures::{Endpoint, Fixture},
};

/// A request, and the one that the upstream must get.
pub(super) struct Request {
    pub(super) path: String,
    pub(super) body: String,
    pub(super) upstream_path: String,
    pub(super) upstream_body: String,
    /// Whether the gateway asks for usage that the client did not ask for.
    pub(super) asks_for_usage: bool,
}

/// The name that the routing group replaces.
const HOUSE_NAME: &str = "house \\u2615 blend";
const HOUSE_NAME_IN_PATH: &str = "house%20%E2%98%95%20blend";

/// What the group's map says of it.
pub(super) const HOUSE_MODEL: &str = "house ☕ blend";

/// The way to a provider: itself, its twin that writes costs into answers, the group with a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Plain,
    Priced,
    Mapped,
}

impl Route {
    /// One that can be taken for this answer.
    pub(super) fn any(fixture: &Fixture, dice: &mut Dice) -> Self {
        match dice.below(3) {
            // In Groq's own usage events more than the cost is new: it is put where clients look.
            0 if fixture.id != "groq.chat.stream.both" => Self::Priced,
            1 => Self::Mapped,
            _ => Self::Plain,
        }
    }

    fn slug(self, provider: &str) -> String {
        match self {
            Self::Plain => provider.to_owned(),
            Self::Priced => format!("priced-{provider}"),
            Self::Mapped => "mapped".to_owned(),
        }
    }
}

/// A request to this endpoint, its members in any order with any white space between them.
pub(super) fn request(endpoint: Endpoint, stream: bool, route: Route, dice: &mut Dice) -> Request {
    let (provider, model) = match endpoint {
        Endpoint::Chat | Endpoint::Responses => ("openai", "gpt-5.2"),
        Endpoint::Messages => ("anthropic", "claude-sonnet-4-5"),
        Endpoint::Gemini => ("google", "gemini-2.5-flash"),
    };
    let action = if stream {
        "streamGenerateContent"
    } else {
        "generateContent"
    };
    let upstream_path = match endpoint {
        Endpoint::Chat => "/v1/chat/completions".to_owned(),
        Endpoint::Responses => "/v1/responses".to_owned(),
        Endpoint::Messages => "/v1/messages?beta=true".to_owned(),
        Endpoint::Gemini => format!("/v1beta/models/{model}:{action}?a=%20b"),
    };
    let (asked, in_path) = match route {
        Route::Mapped => (HOUSE_NAME, HOUSE_NAME_IN_PATH),
        Route::Plain | Route::Priced => (model, model),
    };
    let path = upstream_path.replace(model, in_path);
    let options = OPTIONS
        .get(dice.below(OPTIONS.len()))
        .copied()
        .unwrap_or_default();
    let options = (endpoint == Endpoint::Chat && stream).then_some(options);
    let body = body(endpoint, stream, options.map(|(asked, _)| asked), dice);
    let mut upstream_body = body.replace("$MODEL", model);
    if let Some((asked, sent)) = options {
        upstream_body = match asked {
            "" => upstream_body.replacen('{', &format!("{{{sent},"), 1),
            _ => upstream_body.replace(asked, sent),
        };
    }
    Request {
        path: format!("/proxy/{}{path}", route.slug(provider)),
        body: body.replace("$MODEL", asked),
        upstream_path,
        upstream_body,
        asks_for_usage: options.is_some_and(|(asked, sent)| asked != sent),
    }
}

/// `stream_options` as they may come, and as they must go.
const OPTIONS: [(&str, &str); 5] = [
    ("", r#""stream_options":{"include_usage":true}"#),
    ("{ \"include_usage\" :true}", "{ \"include_usage\" :true}"),
    (
        "{ \"include_usage\" : false , \"x\": 1}",
        "{ \"include_usage\" : true , \"x\": 1}",
    ),
    ("{ }", "{\"include_usage\":true }"),
    ("{\"x\":[{}]}", "{\"include_usage\":true,\"x\":[{}]}"),
];

/// An object in which `$MODEL` stands for the model's name.
fn body(endpoint: Endpoint, stream: bool, options: Option<&str>, dice: &mut Dice) -> String {
    let text = r#""h\u00e9llo \"w\u00f6rld\" \\n 🐟""#;
    let turn = format!(r#"[{{"role":"user","content" : {text}}}]"#);
    let mut members = vec![
        (r#""x_unknown""#, r#"{"b":[1, 2 ,{}],"a":null}"#.to_owned()),
        (r#""seed""#, "123456789012345678901234567890".to_owned()),
        (r#""temperature""#, "1.00e-0".to_owned()),
        (r#""\u0075ser""#, "\"a/b\\/c\"".to_owned()),
    ];
    members.push(match endpoint {
        Endpoint::Responses => (r#""input""#, turn),
        Endpoint::Gemini => (
            r#""contents""#,
            format!(r#"[{{"parts":[{{"text": {text}}}]}}]"#),
        ),
        Endpoint::Chat | Endpoint::Messages => (r#""messages""#, turn),
    });
    if endpoint != Endpoint::Gemini {
        members.push((r#""model""#, "\"$MODEL\"".to_owned()));
        members.push((r#""stream""#, stream.to_string()));
        members.push((r#""max_tokens""#, "100".to_owned()));
    }
    if let Some(options) = options.filter(|options| !options.is_empty()) {
        members.push((r#""stream_options""#, options.to_owned()));
    }
    dice.shuffle(&mut members);
    let mut body = format!("{}{{{}", dice.space(), dice.space());
    for (index, (key, value)) in members.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        body.push_str(
            &[
                comma,
                dice.space(),
                key,
                dice.space(),
                ":",
                dice.space(),
                value,
            ]
            .concat(),
        );
        body.push_str(dice.space());
    }
    body + "}" + dice.space()
}
