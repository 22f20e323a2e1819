//! Inline media in tokens: a bound by table, so that a request is held for what it may cost.
//!
//! What the bytes are is read from their first bytes, not from what the request says they are: a
//! `media_type` may stand anywhere, or lie. The rates are bounds over the providers' published
//! formulas (tiles and patches for images, tokens per second for sound and film, text and picture
//! per page for documents); the answer's own count replaces them when the request is settled.
//!
//! | what | tokens |
//! |---|---|
//! | image | 5,000 whatever its size: providers scale it down first |
//! | sound, compressed | one per 100 bytes: 32 per second at 3.2 kB/s |
//! | sound, WAV | one per 250 bytes: 32 per second at 8 kHz, 8 bits |
//! | film | one per 40 bytes: 300 per second at 12 kB/s |
//! | PDF | one per byte, at most 1,000,000: its text is compressed |
//! | anything else | one per byte: it may be text |

use base64::{Engine, engine::general_purpose::STANDARD};

const IMAGE_TOKENS: u64 = 5_000;
const PDF_TOKENS_MAX: u64 = 1_000_000;
/// How much base64 is decoded to see what the media is: 18 bytes.
const MAGIC_CHARS: usize = 24;

/// Tokens of the media behind base64 text (standard or URL-safe alphabet).
pub(crate) fn tokens_of_base64(text: &str) -> u64 {
    let bytes = u64::try_from(text.len() / 4 * 3 + 2).unwrap_or(u64::MAX);
    match sniff(text.as_bytes()) {
        Media::Image => IMAGE_TOKENS,
        Media::Sound => bytes / 100 + 1,
        Media::Wave => bytes / 250 + 1,
        Media::Film => bytes / 40 + 1,
        Media::Pdf => bytes.min(PDF_TOKENS_MAX),
        Media::Unknown => bytes,
    }
}

/// Tokens of the media inside a `data:` URL; `None` when `url` is of another kind.
pub(crate) fn tokens_of_data_url(url: &str) -> Option<u64> {
    let (scheme, rest) = url.trim_start().split_once(':')?;
    if !scheme.eq_ignore_ascii_case("data") {
        return None;
    }
    // Nothing behind a comma is nothing to read; without one it is text of some kind.
    let (head, data) = rest.split_once(',').unwrap_or(("", rest));
    let base64 = head
        .rsplit(';')
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("base64"));
    Some(if base64 {
        tokens_of_base64(data)
    } else {
        u64::try_from(data.len()).unwrap_or(u64::MAX)
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Image,
    Sound,
    Wave,
    Film,
    Pdf,
    Unknown,
}

fn sniff(base64: &[u8]) -> Media {
    let mut chars = [b'A'; MAGIC_CHARS];
    for (to, from) in chars.iter_mut().zip(base64) {
        *to = match from {
            b'-' => b'+',
            b'_' => b'/',
            b'=' => b'A',
            other => *other,
        };
    }
    let mut magic = [0_u8; MAGIC_CHARS];
    if STANDARD.decode_slice(chars, &mut magic).is_err() {
        return Media::Unknown;
    }
    match magic {
        [0x89, b'P', b'N', b'G', ..]
        | [0xff, 0xd8, 0xff, ..]
        | [b'G', b'I', b'F', b'8', ..]
        | [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ]
        | [
            _,
            _,
            _,
            _,
            b'f',
            b't',
            b'y',
            b'p',
            b'h' | b'a',
            b'e' | b'v',
            b'i',
            ..,
        ] => Media::Image,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ] => Media::Wave,
        [_, _, _, _, b'f', b't', b'y', b'p', b'M', b'4', b'A', ..]
        | [b'I', b'D', b'3', ..]
        | [b'O', b'g', b'g', b'S', ..]
        | [b'f', b'L', b'a', b'C', ..]
        | [0xff, 0xe0..=0xff, ..] => Media::Sound,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] | [0x1a, 0x45, 0xdf, 0xa3, ..] => Media::Film,
        [b'%', b'P', b'D', b'F', ..] => Media::Pdf,
        _ => Media::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(magic: &[u8], length: usize) -> String {
        let mut bytes = magic.to_vec();
        bytes.resize(length, 7);
        STANDARD.encode(bytes)
    }

    #[test]
    fn media_is_known_by_its_first_bytes() {
        let table: [(&[u8], Media); 12] = [
            (b"\x89PNG\r\n\x1a\n", Media::Image),
            (b"\xff\xd8\xff\xe0", Media::Image),
            (b"GIF89a", Media::Image),
            (b"RIFF1234WEBP", Media::Image),
            (b"\0\0\0\x18ftypheic", Media::Image),
            (b"RIFF1234WAVE", Media::Wave),
            (b"ID3\x04", Media::Sound),
            (b"\xff\xfb\x90", Media::Sound),
            (b"\0\0\0\x18ftypM4A ", Media::Sound),
            (b"\0\0\0\x18ftypisom", Media::Film),
            (b"%PDF-1.7", Media::Pdf),
            (b"plain text", Media::Unknown),
        ];
        for (magic, media) in table {
            let text = encoded(magic, 1_000);
            assert_eq!(sniff(text.as_bytes()), media, "{magic:?}");
            let url_safe = text.replace('+', "-").replace('/', "_");
            assert_eq!(sniff(url_safe.as_bytes()), media, "{magic:?}");
        }
        assert_eq!(sniff(b""), Media::Unknown);
        assert_eq!(sniff("ä".repeat(20).as_bytes()), Media::Unknown);
    }

    #[test]
    fn a_small_image_and_a_large_one_cost_the_same_and_unknown_bytes_cost_a_token_each() {
        assert_eq!(tokens_of_base64(&encoded(b"\x89PNG", 10)), 5_000);
        assert_eq!(tokens_of_base64(&encoded(b"\x89PNG", 3_000_000)), 5_000);
        assert!((1_000..1_010).contains(&tokens_of_base64(&encoded(b"text", 1_000))));
        assert_eq!(
            tokens_of_base64(&encoded(b"%PDF", 9_000_000)),
            PDF_TOKENS_MAX
        );
    }

    #[test]
    fn only_data_urls_carry_their_media() {
        let png = encoded(b"\x89PNG", 10);
        assert_eq!(
            tokens_of_data_url(&format!("data:image/png;base64,{png}")),
            Some(5_000)
        );
        assert_eq!(
            tokens_of_data_url(&format!("DATA:;BASE64,{png}")),
            Some(5_000)
        );
        assert_eq!(tokens_of_data_url("data:text/plain,hello"), Some(5));
        assert_eq!(tokens_of_data_url("https://example.com/a.png"), None);
        assert_eq!(tokens_of_data_url("gs://bucket/a.png"), None);
        assert_eq!(tokens_of_data_url(""), None);
    }
}
