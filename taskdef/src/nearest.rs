//! "Did you mean".

/// The candidate that is most like the text, if one is near enough to be what was meant.
pub fn nearest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let text = text.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&text, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| {
            let length = candidate.chars().count();
            // What has no letter in common is not near, however short.
            *distance < length && *distance <= length.max(3) / 3
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_enough_or_nothing() {
        let known = ["alert-logic", "lacework", "sysdig"];
        assert_eq!(nearest("laceworks", known), Some("lacework"));
        assert_eq!(nearest("AlertLogic", known), Some("alert-logic"));
        assert_eq!(nearest("falco", known), None);
        assert_eq!(nearest("c", ["a"]), None);
    }
}
