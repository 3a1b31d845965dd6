//! [`WWW-Authenticate`](https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate): how a
//! registry wants to be shown credentials.

#[cfg(test)]
mod tests;

use reqwest::Url;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// Longest header that is looked at.
const HEADER_MAX: usize = 4096;

/// What a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User name and password with each request.
    Basic,
    /// A token from a server.
    Bearer(Realm),
}

/// Where tokens are, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Realm {
    pub(super) url: Url,
    pub(super) service: Option<String>,
}

/// The challenge that is taken of those in an answer: a token, if tokens are offered.
///
/// The reason that there is none holds nothing of the header.
pub(super) fn of(headers: &HeaderMap) -> Result<Challenge, &'static str> {
    let mut reason = "it does not say how";
    let mut basic = false;
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let text = value.to_str().unwrap_or_default();
        if text.len() > HEADER_MAX {
            reason = "the header is too long";
            continue;
        }
        for (scheme, parameters) in challenges(text) {
            match scheme.as_str() {
                "bearer" => match realm(&parameters) {
                    Ok(realm) => return Ok(Challenge::Bearer(realm)),
                    Err(wrong) => reason = wrong,
                },
                "basic" => basic = true,
                _ => reason = "neither Basic nor Bearer",
            }
        }
    }
    if basic {
        return Ok(Challenge::Basic);
    }
    Err(reason)
}

fn realm(parameters: &[(String, String)]) -> Result<Realm, &'static str> {
    let parameter = |name: &str| {
        let found = parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    let realm = parameter("realm").ok_or("the token server is missing")?;
    let mut url: Url = realm
        .parse()
        .map_err(|_| "the token server's address is no URL")?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("the token server's address is no URL");
    }
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    cleared.map_err(|()| "the token server's address is no URL")?;
    url.set_fragment(None);
    let service = parameter("service");
    Ok(Realm { url, service })
}

/// Schemes, in lower case, with their parameters.
///
/// A word with no `=` behind it is a scheme; parameters are separated by commas, as are
/// challenges.
fn challenges(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = split_word(rest);
        if word.is_empty() {
            return found;
        }
        let name = word.to_ascii_lowercase();
        match after.trim_start_matches([' ', '\t']).strip_prefix('=') {
            Some(value) => {
                let (value, after) = parameter_value(value.trim_start_matches([' ', '\t']));
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((name, value));
                }
                rest = after;
            }
            None => {
                found.push((name, Vec::new()));
                rest = after;
            }
        }
    }
}

/// The [token](https://www.rfc-editor.org/rfc/rfc9110#name-tokens) that a text begins with.
fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, ',' | '=' | '"'));
    text.split_at(end.unwrap_or(text.len()))
}

/// A word, or a quoted string with its escapes taken away.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c.is_whitespace() || c == ',');
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        return (word.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return (value, characters.as_str()),
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    (value, "")
}
