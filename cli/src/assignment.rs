//! `KEY=VALUE` arguments. A value may be a secret: no error repeats one.

use crate::Failure;

/// Splits a `KEY=VALUE` argument of an option at its first `=`. `position` counts the option's
/// arguments from 1, because the text itself must not be shown.
pub fn split<'a>(
    option: &str,
    position: usize,
    text: &'a str,
) -> Result<(&'a str, &'a str), Failure> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim(), value)),
        Some(_) => Err(Failure::usage(format!("argument {position} of `{option}` has no name before its `=`"))),
        None => Err(Failure::usage(format!("argument {position} of `{option}` has no `=`"))
            .hint(format!("it takes `KEY=VALUE`; what follows it belongs before `{option}`, or after another option"))),
    }
}

#[cfg(test)]
mod tests {
    use super::split;
    use crate::Paint;

    #[test]
    fn the_first_equals_sign_splits() {
        assert_eq!(split("--set", 1, "a=b=c"), Ok(("a", "b=c")));
        assert_eq!(split("--set", 1, "a="), Ok(("a", "")));
    }

    #[test]
    fn errors_show_no_value() {
        let text = |text| split("--set", 2, text).unwrap_err().render(Paint::Plain);
        insta::assert_snapshot!(text("hunter2"), @"
        error: argument 2 of `--set` has no `=`
          hint: it takes `KEY=VALUE`; what follows it belongs before `--set`, or after another option
        ");
        insta::assert_snapshot!(text("=hunter2"), @"error: argument 2 of `--set` has no name before its `=`");
    }
}
