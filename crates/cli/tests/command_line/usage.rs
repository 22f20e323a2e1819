//! `tollgate usage`.

use super::{provisioned, transcript};

#[tokio::test]
async fn usage_of_nothing_says_so() {
    let directory = provisioned().await;
    let run = |words| transcript(directory.path(), words);
    let time = ["usage", "--since", "2026-11-01", "--until", "2026-12-01"];
    insta::assert_snapshot!(run(&time), @r#"
    exit code: 0
    --- stderr
    no usage from 2026-11-01T00:00:00Z to 2026-12-01T00:00:00Z (answers of the simulated provider are left out)
    "#);
    let json = [&time[..], &["--by", "day", "--json"]].concat();
    insta::assert_snapshot!(run(&json), @r#"
    exit code: 0
    --- stdout
    {
      "by": "day",
      "lines": [],
      "since": "2026-11-01T00:00:00Z",
      "total": {
        "abandoned_cost": "0.00",
        "cost": "0.00",
        "estimated_requests": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "requests": 0
      },
      "until": "2026-12-01T00:00:00Z"
    }
    "#);
    insta::assert_snapshot!(run(&["usage", "--since", "2026-12-01", "--until", "2026-11-01"]), @r#"
    exit code: 1
    --- stderr
    error: --since must be before --until: 2026-12-01T00:00:00Z is not before 2026-11-01T00:00:00Z
    "#);
}
