//! Parsers of the texts in settings: slugs, e-mail addresses, URLs, sizes, instants. Each gives the
//! checked form or says what is wrong and how to write it.

use super::problem::{Complaint, did_you_mean};
use tollgate_core::{
    clock::Timestamp,
    limit::Limit,
    money::{NANO_PER_DOLLAR, NanoUsd},
};
use url::{Host, Url};

/// First path segments that mean something else than a route.
const RESERVED_SLUGS: [&str; 2] = ["models", "v1"];

/// Longest slug, as long as a DNS label.
const SLUG_CHARS_MAX: usize = 63;

/// Longest name for hosts, paths and signatures.
const PLAIN_CHARS_MAX: usize = 128;

/// Longest name of a host (RFC 1035, 2.3.4).
const HOST_CHARS_MAX: usize = 253;

/// Longest e-mail address (RFC 5321, 4.5.3.1.3, without its angle brackets).
const EMAIL_CHARS_MAX: usize = 254;

/// A name for paths.
pub(super) fn slug(text: &str) -> Result<String, Complaint> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_slug = text.len() <= SLUG_CHARS_MAX
        && text.bytes().next().is_some_and(letter)
        && text
            .bytes()
            .all(|byte| letter(byte) || byte == b'-' || byte == b'_');
    if is_slug {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(
        format!("`{text}` is not a slug"),
        "write 1 to 63 of a-z, 0-9, `-` and `_`, a letter or digit first",
    ))
}

/// A slug that stands in the path of requests.
pub(super) fn route_slug(text: &str) -> Result<String, Complaint> {
    let slug = slug(text)?;
    if RESERVED_SLUGS.contains(&slug.as_str()) {
        return Err(Complaint::new(
            format!("the slug `{slug}` is reserved"),
            "choose another: this one stands for something else in paths",
        ));
    }
    Ok(slug)
}

/// An e-mail address, lower-cased.
pub(crate) fn email(text: &str) -> Result<String, Complaint> {
    let is_email = text.len() <= EMAIL_CHARS_MAX
        && text.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@')
        })
        && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if is_email {
        return Ok(text.to_lowercase());
    }
    Err(Complaint::new(
        format!("`{text}` is not an e-mail address"),
        "write it as in `dev@example.com`",
    ))
}

/// An `http` or `https` URL without credentials, query and fragment; no trailing slash.
pub(super) fn base_url(text: &str) -> Result<Url, Complaint> {
    let parsed = Url::parse(text).map_err(|error| {
        Complaint::new(
            format!("this is not a URL: {error}"),
            "write it as in `https://api.example.com/v1`",
        )
    })?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(Complaint::new(
            format!("the scheme `{}` is not supported", parsed.scheme()),
            "begin with `https://` or `http://`",
        ));
    }
    // The URL itself is not shown: it holds a secret.
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(Complaint::new(
            "this URL holds credentials",
            "take them out of the URL: a provider's go under `credential`",
        ));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(Complaint::new(
            "this URL has a query or a fragment",
            "end it with the path",
        ));
    }
    Ok(parsed)
}

/// The text of a base URL: without a trailing slash.
pub(super) fn url_text(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Whether what is sent there leaves the machine in the clear.
pub(super) fn is_clear_text(url: &Url) -> bool {
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && !is_local
}

/// A name for hosts, paths and signatures: letters, digits and some of `marks`.
pub(super) fn plain(text: &str, marks: &str) -> Result<String, Complaint> {
    let is_plain = !text.is_empty()
        && text.len() <= PLAIN_CHARS_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || marks.as_bytes().contains(&byte));
    if is_plain {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(
        format!("`{text}` is empty, too long, or holds a character that cannot stand here"),
        format!("write letters, digits and any of `{marks}`"),
    ))
}

/// A host, the domain above hosts, an address or a network: what goes past a proxy.
pub(super) fn host_pattern(text: &str) -> Result<String, Complaint> {
    let is_pattern = !text.is_empty()
        && text.len() <= HOST_CHARS_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/*[]".contains(&byte))
        && !text.contains("//");
    if is_pattern {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(
        format!("`{text}` is neither a host nor a network"),
        "write a name, an address or a network: `internal.example.com`, `10.0.0.0/8`",
    ))
}

/// A size in bytes: `64MiB`, `500KB`, `1048576`.
pub(super) fn size(text: &str) -> Result<u64, Complaint> {
    const UNITS: [(&str, u64); 10] = [
        ("", 1),
        ("b", 1),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("tb", 1_000_000_000_000),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("tib", 1 << 40),
    ];
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let unit = unit.trim().to_ascii_lowercase();
    let bytes = UNITS.into_iter().find(|(name, _)| *name == unit);
    bytes
        .and_then(|(_, bytes)| number.parse::<u64>().ok()?.checked_mul(bytes))
        .ok_or_else(|| {
            Complaint::new(
                format!("`{text}` is not a size"),
                "write a whole number and a unit: `64MiB`, `500KB`",
            )
        })
}

/// A power of two as a size is written.
pub(super) fn show_size(bytes: u64) -> String {
    const UNITS: [(u32, &str); 4] = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = UNITS.into_iter().find(|(bits, _)| bytes >> bits > 0);
    unit.map_or_else(
        || format!("{bytes}"),
        |(bits, name)| format!("{}{name}", bytes >> bits),
    )
}

/// An amount of money that a limit or a rate can be: zero or more, exact to the nano-dollar.
pub(crate) fn dollars(text: &str) -> Result<NanoUsd, Complaint> {
    let amount: NanoUsd = text
        .parse()
        .map_err(|error| Complaint::new(format!("{error}"), "write dollars as in `\"20.00\"`"))?;
    if amount < NanoUsd::ZERO {
        return Err(Complaint::new(
            format!("`{text}` is negative"),
            "write zero or more; leave it out for no limit",
        ));
    }
    if amount.as_nano() > Limit::AMOUNT_MAX {
        let most = Limit::AMOUNT_MAX / NANO_PER_DOLLAR;
        return Err(Complaint::new(
            format!("`{text}` is out of range"),
            format!("write at most \"{most}\""),
        ));
    }
    Ok(amount)
}

/// An instant: RFC 3339 with an offset.
pub(crate) fn timestamp(text: &str) -> Result<Timestamp, Complaint> {
    text.parse().map_err(|_| {
        Complaint::new(
            format!("`{text}` is not a date and time with an offset"),
            "write it as in `2027-01-01T00:00:00Z`",
        )
    })
}

/// The name of a time zone, as the IANA database spells it.
pub(super) fn time_zone(text: &str) -> Result<String, Complaint> {
    let found = jiff::tz::TimeZone::get(text).ok();
    let name = found.as_ref().and_then(|zone| zone.iana_name());
    if let Some(name) = name {
        return Ok(name.to_owned());
    }
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    let help = match did_you_mean(text, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "write an IANA name such as `UTC` or `Europe/Berlin`".to_owned(),
    };
    Err(Complaint::new(format!("unknown time zone `{text}`"), help))
}
