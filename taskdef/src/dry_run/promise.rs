//! The promise, judged on a rewritten sample: ECS's rule for what a container starts, and the
//! arrangements of `docs/recipes.md`, written once more.

use serde_json::{Map, Value};

use crate::recipe::{Arrangement, Wrapping};

use super::samples::{CONDITION, Container, Image};

/// What a container starts after the rewrite, where the condition holds or not; `None` when it is
/// not there.
pub(super) fn starts(rewritten: &Value, container: &Container, holds: bool) -> Option<Vec<Value>> {
    let template = resolved(rewritten, holds)?;
    let definitions = template
        .pointer("/Resources/Task/Properties/ContainerDefinitions")?
        .as_array()?;
    let named = |definition: &&Value| {
        definition.get("Name").and_then(Value::as_str) == Some(container.name)
    };
    let definition = definitions.iter().find(named)?.as_object()?;
    Some(process(definition, &container.image))
}

/// The image's command counts only where the container states neither list.
fn process(container: &Map<String, Value>, image: &Image) -> Vec<Value> {
    let list = |key: &str| match container.get(key) {
        Some(Value::Array(words)) => words.clone(),
        Some(other) => vec![other.clone()],
        None => Vec::new(),
    };
    let of_image = |words: &[String]| words.iter().cloned().map(Value::from).collect();
    let (mut entry_point, mut command): (Vec<Value>, _) = (list("EntryPoint"), list("Command"));
    if entry_point.is_empty() {
        entry_point = of_image(&image.entry_point);
        if command.is_empty() {
            command = of_image(&image.command);
        }
    }
    [entry_point, command].concat()
}

/// The value where the condition holds or not; `None` for no value.
fn resolved(value: &Value, holds: bool) -> Option<Value> {
    match value {
        Value::Array(items) => Some(
            items
                .iter()
                .filter_map(|item| resolved(item, holds))
                .collect(),
        ),
        Value::Object(map) => {
            if let Some(Value::Array(branches)) = map.get("Fn::If")
                && let [Value::String(name), yes, no] = branches.as_slice()
                && name == CONDITION
            {
                return resolved(if holds { yes } else { no }, holds);
            }
            if map.get("Ref").and_then(Value::as_str) == Some("AWS::NoValue") {
                return None;
            }
            let entries = map.iter();
            let entries =
                entries.filter_map(|(key, item)| Some((key.clone(), resolved(item, holds)?)));
            Some(Value::Object(entries.collect()))
        }
        other => Some(other.clone()),
    }
}

/// Whether a process is the program with all its arguments, behind the wrapper as the recipe says.
pub(super) fn is_kept(process: &[Value], program: &[String], wrapping: Option<&Wrapping>) -> bool {
    let program: Vec<Value> = program.iter().cloned().map(Value::from).collect();
    let Some(wrapping) = wrapping else {
        return process == program;
    };
    match wrapping.arrangement {
        Arrangement::None => process == program,
        Arrangement::ShellJoin => {
            let Some((line, shell)) = process.split_last() else {
                return false;
            };
            let script = wrapping.script.as_deref().unwrap_or_default();
            let words = line
                .as_str()
                .and_then(|line| line.strip_prefix(script))
                .and_then(|line| line.strip_prefix(" && exec "))
                .and_then(shell_words);
            shell == wrapping.wrapper && words.is_some_and(|words| program == words)
        }
        Arrangement::Prefix
        | Arrangement::Command
        | Arrangement::EntryPoint
        | Arrangement::PrefixSuffix => {
            let command = wrapping.command.clone().unwrap_or_default();
            process
                == [&wrapping.wrapper, &program, &wrapping.suffix, &command]
                    .map(Vec::as_slice)
                    .concat()
        }
    }
}

/// The words of a line of bare words and single quotes; `None` when anything else is in it.
fn shell_words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_with(String::new);
                loop {
                    match letters.next()? {
                        '\'' => break,
                        quoted => word.push(quoted),
                    }
                }
            }
            // Between two quotes: a quote.
            '\\' => word.get_or_insert_with(String::new).push(letters.next()?),
            bare if bare.is_ascii_alphanumeric() || "_@%+:,./-".contains(bare) => {
                word.get_or_insert_with(String::new).push(bare);
            }
            _ => return None,
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{is_kept, shell_words};
    use crate::recipe::{Arrangement, Wrapping};

    fn wrapping(arrangement: Arrangement) -> Wrapping {
        let shell = arrangement == Arrangement::ShellJoin;
        Wrapping {
            arrangement,
            wrapper: match shell {
                true => vec![json!("sh"), json!("-c")],
                false => vec![json!("/wrap"), json!("--")],
            },
            suffix: Vec::new(),
            command: None,
            script: shell.then(|| "sudo /start".to_owned()),
        }
    }

    #[test]
    fn a_program_is_kept_with_all_its_words_and_in_their_order() {
        let program = ["/app", "a b", "it's", ""].map(str::to_owned);
        let kept = |process: Value, arrangement| {
            let process = process.as_array().unwrap();
            is_kept(process, &program, Some(&wrapping(arrangement)))
        };
        let prefix = Arrangement::Prefix;
        assert!(kept(
            json!(["/wrap", "--", "/app", "a b", "it's", ""]),
            prefix
        ));
        for broken in [
            json!(["/wrap", "--", "/app", "a b", "it's"]),
            json!(["/wrap", "--", "a b", "/app", "it's", ""]),
            json!(["/wrap", "--", "/app a b it's "]),
            json!(["/wrap", "/app", "a b", "it's", ""]),
            json!(["/app", "a b", "it's", ""]),
            json!(["/wrap", "--"]),
        ] {
            assert!(!kept(broken.clone(), prefix), "{broken}");
        }
        let join = Arrangement::ShellJoin;
        let line = r"sudo /start && exec /app 'a b' 'it'\''s' ''";
        assert!(kept(json!(["sh", "-c", line]), join));
        for broken in [
            r"sudo /start && exec /app a b 'it'\''s' ''",
            r"sudo /start && exec /app 'a b' 'it'\''s'",
            r"sudo /start && /app 'a b' 'it'\''s' ''",
            "sudo /start",
        ] {
            assert!(!kept(json!(["sh", "-c", broken]), join), "{broken}");
        }
        assert!(is_kept(&[json!("/app")], &["/app".to_owned()], None));
        assert!(!is_kept(&[json!("/wrap")], &["/app".to_owned()], None));
    }

    #[test]
    fn what_a_shell_would_expand_is_no_word() {
        assert_eq!(shell_words("a $HOME"), None);
        assert_eq!(shell_words("a && b"), None);
        assert_eq!(shell_words("'a"), None);
    }
}
