//! Where ECS finds a secret:
//! [`valueFrom`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html).

/// Whether a text can be the place of a secret: the ARN of a secret of Secrets Manager or of a
/// parameter of Systems Manager, or the name of such a parameter. A dynamic reference of
/// CloudFormation may stand for any part of it.
pub(super) fn names_one(text: &str) -> bool {
    if text.contains("{{resolve:") {
        return true;
    }
    match text.strip_prefix("arn:") {
        Some(rest) => matches!(rest.split(':').nth(1), Some("secretsmanager" | "ssm")),
        None => {
            let of_a_name = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
            !text.is_empty() && text.chars().all(of_a_name)
        }
    }
}

/// Whether a text was meant as an ARN, and not as the secret itself.
pub(super) fn begins_like_an_arn(text: &str) -> bool {
    let begin = text.trim_start().get(..4);
    begin.is_some_and(|begin| begin.eq_ignore_ascii_case("arn:"))
}

/// Whether a reference is the ARN of a Secrets Manager secret without a JSON key:
/// `arn:<partition>:secretsmanager:<region>:<account>:secret:<name>` and nothing after it.
pub(super) fn is_whole(reference: &str) -> bool {
    let mut parts = reference.split(':');
    let is_secret = parts.next() == Some("arn") && parts.nth(1) == Some("secretsmanager");
    // Region, account, `secret`, name; then the JSON key.
    is_secret && parts.nth(4).is_none_or(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::{begins_like_an_arn, is_whole, names_one};

    const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:deepfence-AbCdEf";
    const PARAMETER: &str = "arn:aws:ssm:us-east-1:123456789012:parameter/x";

    #[test]
    fn an_arn_may_name_a_key() {
        for (reference, whole) in [
            (SECRET.to_owned(), true),
            (format!("{SECRET}:::"), true),
            (format!("{SECRET}:::version"), true),
            (format!("{SECRET}:key::"), false),
            (format!("{SECRET}:key:AWSCURRENT:"), false),
            (SECRET.replace("arn:aws:", "arn:aws-cn:"), true),
            (PARAMETER.to_owned(), false),
            ("/deepfence/key".to_owned(), false),
            ("arn:aws:secretsmanager".to_owned(), true),
            (String::new(), false),
        ] {
            assert_eq!(is_whole(&reference), whole, "{reference}");
        }
    }

    #[test]
    fn a_place_is_an_arn_or_a_name() {
        for place in [
            SECRET,
            PARAMETER,
            "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-b:key::",
            "/app/token",
            "token_1.a-b",
            "{{resolve:ssm:/app/arn}}",
        ] {
            assert!(names_one(place), "{place}");
        }
        for other in [
            "",
            "not a name",
            "arn:aws:s3:::bucket",
            "arn:aws",
            "ARN:aws:secretsmanager:us-east-1:123456789012:secret:x",
            "arn:${AWS::Partition}:secretsmanager:x",
            "$ecret",
            "a:b",
        ] {
            assert!(!names_one(other), "{other}");
        }
    }

    #[test]
    fn what_was_meant_as_an_arn() {
        assert!(begins_like_an_arn(" arn:aws:x") && begins_like_an_arn("ARN:"));
        assert!(
            !begins_like_an_arn("arn")
                && !begins_like_an_arn("arne")
                && !begins_like_an_arn("xarn:")
        );
    }
}
