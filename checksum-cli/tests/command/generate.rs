//! `checksum generate`.

use crate::invocation::start_mock;
use crate::transcript::{FORMATS, transcript};

#[tokio::test(flavor = "multi_thread")]
async fn generate_prints_the_result_in_each_format() {
    let mut all = String::new();
    for format in FORMATS {
        let mock = start_mock().await;
        let arguments = format!(
            "generate --repo acme-co/webapp --pr 42 --branch feature/checkout \
             --env BASE_URL=https://secret.example.com --metadata by=ci \
             --poll-interval 0s --output {format}"
        );
        let printed = transcript(&mock, &arguments, 0);
        assert_eq!(printed.matches("secret.example").count(), 1, "the argument");
        all += &printed;
    }
    insta::assert_snapshot!("generate", all);
}
