use super::*;

/// Every question that can be asked.
fn all() -> impl Iterator<Item = (ProviderKind, Format, Operation)> {
    let kinds = ProviderKind::ALL.into_iter();
    kinds.flat_map(|kind| {
        let formats = Format::ALL.into_iter();
        formats.flat_map(move |format| Operation::ALL.map(|operation| (kind, format, operation)))
    })
}

#[test]
fn a_kind_offers_something_of_exactly_the_formats_of_its_profile() {
    for kind in ProviderKind::ALL {
        for format in Format::ALL {
            let offers = |operation: &Operation| offer(kind, format, *operation).is_made();
            let offered = Operation::ALL.iter().any(offers);
            assert_eq!(
                offered,
                kind.formats().contains(&format),
                "{kind:?} {format:?}"
            );
        }
    }
}

#[test]
fn only_what_a_format_has_is_offered_and_each_format_has_something() {
    for (kind, format, operation) in all() {
        if !operations(format).contains(&operation) {
            let offer = offer(kind, format, operation);
            assert_eq!(
                offer,
                Offer::NotOffered,
                "{kind:?} {format:?} {operation:?}"
            );
        }
    }
    assert!(
        Format::ALL
            .iter()
            .all(|format| !operations(*format).is_empty())
    );
}

#[test]
fn an_edited_offer_names_its_rules() {
    for (kind, format, operation) in all() {
        if let Offer::Edited(rules) = offer(kind, format, operation) {
            assert!(!rules.is_empty(), "{kind:?} {format:?} {operation:?}");
        }
    }
}

#[test]
fn what_an_envelope_of_one_cloud_holds_is_native_there_and_nowhere_else() {
    for (format, only) in [
        (Format::VertexRawPredict, ProviderKind::GoogleVertex),
        (Format::BedrockInvoke, ProviderKind::Bedrock),
        (Format::BedrockConverse, ProviderKind::Bedrock),
        (Format::OllamaNative, ProviderKind::Ollama),
    ] {
        for kind in ProviderKind::ALL {
            let expected = if kind == only {
                Offer::Native
            } else {
                Offer::NotOffered
            };
            assert_eq!(
                offer(kind, format, Operation::Generate),
                expected,
                "{kind:?} {format:?}"
            );
        }
    }
}
