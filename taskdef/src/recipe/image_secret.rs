//! Credentials that stand in the names of images: some vendors give each customer a repository of
//! which one path segment is the key to their registry.

use std::borrow::Cow;

use serde_json::Value;

use crate::settings::Settings;

use super::{BoundRecipe, InputValue, Recipe, Recipes};

/// What a credential is in a name of an image: between which texts it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSecret {
    before: String,
    after: String,
}

/// What stands where a credential would.
const HIDDEN: &str = "***";

impl ImageSecret {
    /// Reads `before*after`; nothing where it does not say what comes before, or not with one `*`.
    pub(super) fn parse(text: &str) -> Option<ImageSecret> {
        let (before, after) = text.split_once('*')?;
        let is_one = !before.is_empty() && !after.contains('*');
        is_one.then(|| ImageSecret {
            before: before.to_ascii_lowercase(),
            after: after.to_ascii_lowercase(),
        })
    }

    /// A text without the credential; as it is where none is in it.
    fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        // As long as the text: positions in one are positions in the other.
        let lower = text.to_ascii_lowercase();
        let mut hidden = String::new();
        let mut done = 0;
        for (at, _) in lower.match_indices(&self.before) {
            let from = at + self.before.len();
            let Some((before, rest)) = lower.get(..at).zip(lower.get(from..)) else {
                continue;
            };
            let secret = rest.find(|c| !is_of_a_segment(c)).unwrap_or(rest.len());
            let begins_segment = !before.ends_with(is_of_a_segment);
            let goes_on = rest
                .get(secret..)
                .is_some_and(|rest| rest.starts_with(&self.after));
            if secret == 0 || !begins_segment || !goes_on {
                continue;
            }
            hidden.push_str(text.get(done..from).unwrap_or_default());
            hidden.push_str(HIDDEN);
            done = from + secret;
        }
        match done {
            0 => Cow::Borrowed(text),
            _ => Cow::Owned(hidden + text.get(done..).unwrap_or_default()),
        }
    }
}

impl Recipe {
    /// Whether an input, given as it is, holds a credential as part of an image's name.
    pub fn holds_image_secret(&self, value: &InputValue) -> bool {
        let InputValue::Plain(Value::String(text)) = value else {
            return false;
        };
        let mut secrets = self.image_secrets().iter();
        secrets.any(|secret| matches!(secret.hide(text), Cow::Owned(_)))
    }
}

/// Whether a character can stand in a segment of the
/// [name of a repository](https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests).
fn is_of_a_segment(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// The credentials in names of images that are known in a run: those of its recipes, and those of
/// the agents that may be there beside them.
#[derive(Clone, Debug, Default)]
pub struct ImageSecrets(Vec<ImageSecret>);

impl ImageSecrets {
    /// Those of these recipes, and of the agents that the settings name.
    pub fn of(recipes: Option<&Recipes>, settings: &Settings) -> ImageSecrets {
        let used = recipes.into_iter().flat_map(Recipes::iter);
        let used = used.map(BoundRecipe::recipe).map(Recipe::image_secrets);
        let agents = settings.known_agents.iter();
        let known = agents.map(|agent| agent.image_secrets.as_slice());
        ImageSecrets(used.chain(known).flatten().cloned().collect())
    }

    /// Takes the credentials out of a text.
    pub(crate) fn hide(&self, text: &mut String) {
        for secret in &self.0 {
            if let Cow::Owned(hidden) = secret.hide(text) {
                *text = hidden;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ImageSecret, ImageSecrets};

    fn hidden(rules: &[&str], text: &str) -> String {
        let rules = rules.iter().map(|rule| ImageSecret::parse(rule).unwrap());
        let mut text = text.to_owned();
        ImageSecrets(rules.collect()).hide(&mut text);
        text
    }

    #[test]
    fn a_segment_is_hidden_where_it_stands() {
        let rules = ["tw_*/vendor/agent", "auth.example/tw_*"];
        for (text, told) in [
            (
                "auth.example/tw_k3y/vendor/agent:1",
                "auth.example/tw_***/vendor/agent:1",
            ),
            (
                "mirror.example:5000/tw_k3y/vendor/agent",
                "mirror.example:5000/tw_***/vendor/agent",
            ),
            (
                "`AUTH.example/TW_K3Y/Vendor/Agent@sha256:0` moves",
                "`AUTH.example/TW_***/Vendor/Agent@sha256:0` moves",
            ),
            (
                "tw_a/vendor/agent and tw_b.c-d/vendor/agent",
                "tw_***/vendor/agent and tw_***/vendor/agent",
            ),
            (
                "!Join ['', [auth.example/tw_k3y, /vendor/agent]]",
                "!Join ['', [auth.example/tw_***, /vendor/agent]]",
            ),
            ("tw_tw_k3y/vendor/agent", "tw_***/vendor/agent"),
            ("é auth.example/tw_k3y", "é auth.example/tw_***"),
        ] {
            assert_eq!(hidden(&rules, text), told);
        }
    }

    #[test]
    fn all_else_stays() {
        let rules = ["tw_*/vendor/agent", "auth.example/tw_*"];
        for text in [
            "",
            "tw_k3y/other/agent",
            "xtw_k3y/vendor/agent",
            "auth.example/tw_",
            "auth.example/tw_${Key}/vendor/agent",
            "auth.example/vendor/agent",
            "docker.io/library/nginx:1.29",
        ] {
            assert_eq!(hidden(&rules, text), text);
        }
    }

    #[test]
    fn a_rule_has_one_star_after_some_text() {
        for text in ["", "*", "*/agent", "tw_", "tw_*/*", "a**"] {
            assert_eq!(ImageSecret::parse(text), None, "{text}");
        }
    }
}
