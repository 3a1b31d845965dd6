//! A reading of the small part of `sh` that the shell join may use: bare words and single quotes.

/// The words of a command line; `None` when it holds anything but bare words and quotes.
pub fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' => words.extend(word.take()),
            '\'' => {
                let current = word.get_or_insert_with(String::new);
                loop {
                    match letters.next()? {
                        '\'' => break,
                        quoted => current.push(quoted),
                    }
                }
            }
            // Between two quotes: an escaped quote.
            '\\' => word.get_or_insert_with(String::new).push(letters.next()?),
            '"' => double_quoted(&mut letters, word.get_or_insert_with(String::new))?,
            bare if bare.is_ascii_alphanumeric() || "_@%+:,./-=".contains(bare) => {
                word.get_or_insert_with(String::new).push(bare)
            }
            _ => return None,
        }
    }
    words.extend(word);
    Some(words)
}

fn double_quoted(letters: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match letters.next()? {
            '"' => return Some(()),
            // Nothing that a double-quoted text would expand is accepted.
            '$' | '`' | '\\' => return None,
            quoted => word.push(quoted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn quotes_are_taken_away() {
        assert_eq!(
            words("a 'b c' 'it'\\''s' ''").unwrap(),
            ["a", "b c", "it's", ""]
        );
        assert_eq!(words(r#"'it'"'"'s'"#).unwrap(), ["it's"]);
        assert_eq!(words("a $b"), None);
        assert_eq!(words("a && b"), None);
        assert_eq!(words("'open"), None);
    }
}
