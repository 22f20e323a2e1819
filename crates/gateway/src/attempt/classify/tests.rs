use super::*;
use http::HeaderValue;

fn verdict(status: u16, body: &str) -> Verdict {
    let status = StatusCode::from_u16(status).unwrap();
    of_status(
        status,
        &HeaderMap::new(),
        body.as_bytes(),
        Timestamp::UNIX_EPOCH,
    )
}

#[test]
fn the_clients_own_errors_are_shown_and_the_providers_go_elsewhere() {
    for status in [400, 404, 405, 409, 413, 415, 422, 424, 451] {
        let verdict = verdict(status, "{}");
        assert_eq!(verdict, Verdict::Client, "{status}");
    }
    for status in [408, 429, 500, 501, 502, 503, 504, 529] {
        let Verdict::Provider(failure) = verdict(status, "{}") else {
            unreachable!("{status} is the provider's");
        };
        assert!(failure.may_be_shown(), "{status}");
        assert_eq!(failure.sign(), Some(Sign::Failed));
    }
    for status in [301, 302, 307, 308] {
        let code = StatusCode::from_u16(status).unwrap();
        let redirected = Verdict::Provider(Failure::Redirect(code));
        assert_eq!(verdict(status, ""), redirected);
    }
}

#[test]
fn words_about_a_key_that_a_caller_has_repeated_are_his_own() {
    for body in [
        r#"{"error":{"message":"Invalid value: 'API_KEY_INVALID'","code":"invalid_value"}}"#,
        r#"{"error":{"message":"Invalid value: '\"reason\":\"API_KEY_INVALID\"'"}}"#,
        r#"{"error":{"message":"Unknown parameter: 'invalid_api_key'.","param":"invalid_api_key"}}"#,
        r#"{"error":{"message":"Unknown model: 'Incorrect API key provided'"}}"#,
    ] {
        assert!(!is_about_our_key(body.as_bytes()), "{body}");
    }
}

#[test]
fn what_is_about_our_credential_is_never_shown() {
    let google = r#"{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}"#;
    let xai = r#"{"code":"Client specified an invalid argument",
        "error":"Incorrect API key provided: sk***gA."}"#;
    for (status, body) in [
        (401, "{}"),
        (402, "{}"),
        (403, r#"{"error":{"type":"permission_error"}}"#),
        (403, r#"{"message":"The security token is expired"}"#),
        (400, google),
        (400, xai),
        (400, r#"{"error":{"code":"invalid_api_key"}}"#),
        (400, r#"[{"error":{"message":"API key not valid."}}]"#),
    ] {
        let Verdict::Provider(failure) = verdict(status, body) else {
            unreachable!("{status} {body} is about our credential");
        };
        assert!(!failure.may_be_shown());
        assert_eq!(failure.sign(), Some(Sign::CredentialRefused));
    }
}

#[test]
fn a_refusal_of_the_content_is_the_clients_whatever_its_status() {
    let flagged = r#"{"error":{"code":403,"metadata":{"flagged_input":"…","reasons":["x"]}}}"#;
    assert_eq!(verdict(403, flagged), Verdict::Client);
}

#[test]
fn a_provider_says_in_many_ways_for_how_long_to_leave_it_alone() {
    let later = r#"{"error":{"details":[{"@type":"…RetryInfo","retryDelay": "30.5s"}]}}"#;
    let none = HeaderValue::from_static("soon");
    for (name, value, body, seconds) in [
        ("retry-after", "7", "", Some(7.0)),
        ("retry-after", " 7 ", "", Some(7.0)),
        (
            "retry-after",
            "Thu, 01 Jan 1970 00:01:00 GMT",
            "",
            Some(60.0),
        ),
        ("retry-after", "Wed, 31 Dec 1969 23:00:00 GMT", "", None),
        ("retry-after", "0", "", None),
        ("retry-after", "soon", "", None),
        ("retry-after-ms", "1500", "", Some(1.5)),
        ("x-amz-retry-after", "250", "", Some(0.25)),
        ("x-other", "7", later, Some(31.0)),
        ("x-other", "7", r#"{"retryDelay":"3s"}"#, Some(3.0)),
        ("x-other", "7", r#"{"retryDelay":3}"#, None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after-none", none.clone());
        headers.insert(name, HeaderValue::from_static(value));
        let delay = retry_after(&headers, body.as_bytes(), Timestamp::UNIX_EPOCH);
        assert_eq!(
            delay,
            seconds.map(Duration::from_secs_f64),
            "{name}: {value} {body}"
        );
    }
}

#[test]
fn only_who_may_know_is_left_alone_for_as_long_as_it_says() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("7"));
    let delay = Duration::from_secs(7);
    for (status, sign) in [
        (429, Sign::Overloaded(delay)),
        (503, Sign::Overloaded(delay)),
        (529, Sign::Overloaded(delay)),
        (500, Sign::Failed),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let judged = of_status(status, &headers, b"", Timestamp::UNIX_EPOCH);
        let Verdict::Provider(failure) = judged else {
            unreachable!("{status} is the provider's");
        };
        assert_eq!(failure.sign(), Some(sign), "{status}");
    }
}
