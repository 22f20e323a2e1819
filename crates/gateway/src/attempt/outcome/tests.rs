use super::*;
use crate::upstream::FailureClass;
use http::StatusCode;

fn failed(slug: &str, failure: Failure, kind: Kind) -> (String, Failure, Error) {
    let error = Error::new(kind, format!("{slug} failed")).with_context(format!("why {slug}"));
    (slug.to_owned(), failure, error)
}

#[test]
fn of_several_the_operator_reads_what_was_wrong_with_each_and_the_caller_does_not() {
    let unreachable = Failure::NotSent(FailureClass::Unreachable);
    let refused = Failure::Credential(StatusCode::UNAUTHORIZED);
    let error = of_several(&[
        failed("a", unreachable, Kind::UpstreamUnreachable),
        failed("b", refused, Kind::UpstreamUnreachable),
        failed("c", Failure::Silent, Kind::UpstreamTimeout),
        failed("d", Failure::Full, Kind::Unavailable),
    ]);
    assert_eq!(
        error.kind(),
        Kind::UpstreamTimeout,
        "as the last that was reached"
    );
    assert_eq!(
        error.message(),
        "no provider of this route answered in time"
    );
    assert_eq!(
        error.context(),
        Some("a: unreachable: why a; b: 401: why b; c: silent: why c; d: full: why d")
    );
}

#[test]
fn when_all_are_full_it_is_worth_trying_again_in_a_second() {
    let error = of_several(&[
        failed("a", Failure::Full, Kind::Unavailable),
        failed("b", Failure::Full, Kind::Unavailable),
    ]);
    let again = tollgate_core::error::Retry::After(Duration::from_secs(1));
    assert_eq!((error.kind(), error.retry()), (Kind::Unavailable, again));
}

#[test]
fn when_nobody_takes_the_request_the_caller_is_told_what_is_wrong_with_it() {
    let error = of_several(&[
        failed("a", Failure::Full, Kind::Unavailable),
        failed("b", Failure::Unfit, Kind::BadRequest),
        failed("c", Failure::Unfit, Kind::Unavailable),
    ]);
    assert_eq!(
        (error.kind(), error.message()),
        (Kind::BadRequest, "b failed")
    );
}
