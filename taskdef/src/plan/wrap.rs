//! How a recipe's wrapper is put in front of a program.

use serde_json::Value;

use crate::cloudformation::intrinsic::{call, function};
use crate::edit::Edit;
use crate::recipe::{Arrangement, Wrapping};
use crate::report::Code;

use super::Refusal;
use super::recognise::mentions;
use super::shell::{cannot_quote, shell_line};
use super::words::{Stated, Words, may_be_empty};

/// Joins lists that are intrinsic functions; stands in no real argument.
const SEPARATOR: &str = "|outrigger|";

/// The edits that arrange the process; the program that runs is the one that ran before, behind the wrapper.
pub(crate) fn arrange(stated: &Stated<'_>, wrapping: &Wrapping) -> Result<Vec<Edit>, Refusal> {
    let (entry_point, command) = stated.effective();
    if wrapping.arrangement == Arrangement::None {
        return Ok(Vec::new());
    }
    if entry_point.is_absent() && command.is_absent() {
        return Err(Refusal::new(
            Code::EmptyProcess,
            "neither the task definition nor the image says what runs".to_owned(),
            "state an entry point or a command",
        ));
    }
    stated.command_is_certain()?;
    match wrapping.arrangement {
        Arrangement::None => Ok(Vec::new()),
        Arrangement::Prefix => prefix(stated, wrapping, &entry_point, &command),
        Arrangement::Command => {
            let program = literal(&entry_point, &command)?;
            Ok(vec![
                set("entryPoint", wrapping.wrapper.clone()),
                set("command", program),
            ])
        }
        Arrangement::EntryPoint => {
            let program = literal(&entry_point, &command)?;
            Ok(vec![
                set("entryPoint", [wrapping.wrapper.clone(), program].concat()),
                Edit::Remove(vec!["command".to_owned()]),
            ])
        }
        Arrangement::PrefixSuffix => {
            let program = literal(&entry_point, &command)?;
            let all = [wrapping.wrapper.clone(), program, wrapping.suffix.clone()].concat();
            Ok(vec![
                set("entryPoint", all),
                match &wrapping.command {
                    Some(command) => set("command", command.clone()),
                    None => Edit::Remove(vec!["command".to_owned()]),
                },
            ])
        }
        Arrangement::ShellJoin => {
            let program = literal(&entry_point, &command)?;
            let unquotable: Vec<&str> = stated.unquotable.iter().map(String::as_str).collect();
            if program.iter().any(|word| mentions(word, &unquotable)) {
                return Err(cannot_quote(
                    "a word contains a text that CloudFormation replaces",
                ));
            }
            let script = wrapping.script.as_deref().unwrap_or_default();
            let line = format!("{script} && exec {}", shell_line(&program)?);
            let mut words = wrapping.wrapper.clone();
            words.push(Value::String(line));
            Ok(vec![
                set("entryPoint", words),
                Edit::Remove(vec!["command".to_owned()]),
            ])
        }
    }
}

fn set(key: &str, words: Vec<Value>) -> Edit {
    Edit::Set(vec![key.to_owned()], Value::Array(words))
}

fn prefix(
    stated: &Stated<'_>,
    wrapping: &Wrapping,
    entry_point: &Words,
    command: &Words,
) -> Result<Vec<Edit>, Refusal> {
    let wrapped = match entry_point {
        Words::List(_) if entry_point.may_be_empty() => return Err(may_be_empty("entry point")),
        Words::List(items) => Value::Array([wrapping.wrapper.clone(), items.clone()].concat()),
        Words::Whole(value, true) => composed(&wrapping.wrapper, value)?,
        Words::Whole(_, false) => return Err(may_be_empty("entry point")),
    };
    let mut edits = vec![Edit::Set(vec!["entryPoint".to_owned()], wrapped)];
    if stated.command.is_absent()
        && let Words::List(items) = command
        && !items.is_empty()
    {
        edits.push(set("command", items.clone()));
    }
    Ok(edits)
}

/// A wrapper in front of a list that only the deployment knows.
fn composed(wrapper: &[Value], list: &Value) -> Result<Value, Refusal> {
    if mentions(list, &[SEPARATOR]) || wrapper.iter().any(|word| mentions(word, &[SEPARATOR])) {
        return Err(Refusal::new(
            Code::CannotQuote,
            format!("the entry point contains `{SEPARATOR}`, which would split it"),
            "write the entry point as a literal list",
        ));
    }
    let separator = || Value::String(SEPARATOR.to_owned());
    let join = |list: Value| call("Fn::Join", Value::Array(vec![separator(), list]));
    let mut parts = wrapper.to_vec();
    parts.push(join(list.clone()));
    let joined = join(Value::Array(parts));
    Ok(call("Fn::Split", Value::Array(vec![separator(), joined])))
}

/// The words and the list that [`composed`] made of them.
pub(crate) fn uncomposed(value: &Value) -> Option<(&[Value], &Value)> {
    let parts = |value, name: &str| match function(value) {
        Some((found, Value::Array(items))) if found == name => match items.as_slice() {
            [Value::String(separator), second] if separator == SEPARATOR => Some(second),
            _ => None,
        },
        _ => None,
    };
    let parts_of_join = parts(parts(value, "Fn::Split")?, "Fn::Join")?;
    let (last, words) = parts_of_join.as_array()?.split_last()?;
    Some((words, parts(last, "Fn::Join")?))
}

/// Entry point and command as one list of elements that are certainly there.
fn literal(entry_point: &Words, command: &Words) -> Result<Vec<Value>, Refusal> {
    match (entry_point.elements(), command.elements()) {
        (Some(entry_point), Some(command)) => Ok([entry_point, command].concat()),
        (None, _) => Err(may_be_empty("entry point")),
        (_, None) => Err(may_be_empty("command")),
    }
}
#[cfg(test)]
mod tests {
    use super::super::recognise::{Known, Recognised, recognise};
    use super::super::words::joined_head;
    use super::*;
    use serde_json::json;

    fn wrapping(arrangement: Arrangement) -> Wrapping {
        Wrapping {
            arrangement,
            wrapper: vec![json!("/wrap")],
            suffix: vec![json!("--")],
            command: Some(vec![json!("now")]),
            script: None,
        }
    }

    fn shell() -> Wrapping {
        Wrapping {
            arrangement: Arrangement::ShellJoin,
            wrapper: vec![json!("sh"), json!("-c")],
            suffix: Vec::new(),
            command: None,
            script: Some("sudo -E /wrap".to_owned()),
        }
    }

    /// Entry point and command after the edits; `None` where they are left as they were.
    fn arranged(entry_point: Value, command: Value, wrapping: &Wrapping) -> Result<Value, Code> {
        let list = |value: Value| match value {
            Value::Array(items) => Words::List(items),
            whole => Words::Whole(whole, false),
        };
        let (entry_point, command) = (list(entry_point), list(command));
        let stated = Stated {
            entry_point: &entry_point,
            command: &command,
            image_entry_point: vec![json!("ie")],
            image_command: vec![json!("ic")],
            unquotable: &["{{resolve:".to_owned()],
        };
        let edits = arrange(&stated, wrapping).map_err(|refusal| refusal.code)?;
        let said = edits.iter().map(|edit| match edit {
            Edit::Set(path, value) => json!([path, value]),
            Edit::Remove(path) => json!([path]),
            _ => json!("unexpected"),
        });
        Ok(said.collect())
    }

    #[test]
    fn every_arrangement_keeps_the_program() {
        let of = |arrangement| arranged(json!([]), json!([]), &wrapping(arrangement));
        assert_eq!(
            of(Arrangement::Prefix),
            Ok(json!([
                [["entryPoint"], ["/wrap", "ie"]],
                [["command"], ["ic"]]
            ]))
        );
        assert_eq!(
            of(Arrangement::Command),
            Ok(json!([
                [["entryPoint"], ["/wrap"]],
                [["command"], ["ie", "ic"]]
            ]))
        );
        assert_eq!(
            of(Arrangement::EntryPoint),
            Ok(json!([
                [["entryPoint"], ["/wrap", "ie", "ic"]],
                [["command"]]
            ]))
        );
        assert_eq!(
            of(Arrangement::PrefixSuffix),
            Ok(json!([
                [["entryPoint"], ["/wrap", "ie", "ic", "--"]],
                [["command"], ["now"]]
            ]))
        );
        assert_eq!(of(Arrangement::None), Ok(json!([])));
        assert_eq!(
            arranged(json!(["a b"]), json!(["it's", "$x", ""]), &shell()),
            Ok(json!([
                [
                    ["entryPoint"],
                    ["sh", "-c", r"sudo -E /wrap && exec 'a b' 'it'\''s' '$x' ''"]
                ],
                [["command"]]
            ]))
        );
    }

    #[test]
    fn a_stated_entry_point_does_not_inherit_the_images_command() {
        assert_eq!(
            arranged(json!(["e"]), json!([]), &wrapping(Arrangement::Prefix)),
            Ok(json!([[["entryPoint"], ["/wrap", "e"]]]))
        );
    }

    #[test]
    fn lists_that_may_be_empty_are_refused() {
        let whole = json!({"Ref": "List"});
        let prefix = wrapping(Arrangement::Prefix);
        assert_eq!(
            arranged(whole.clone(), json!([]), &prefix),
            Err(Code::ListMayBeEmpty)
        );
        assert_eq!(
            arranged(json!([]), whole.clone(), &prefix),
            Err(Code::ListMayBeEmpty)
        );
        assert_eq!(
            arranged(json!(["e"]), whole.clone(), &prefix),
            Ok(json!([[["entryPoint"], ["/wrap", "e"]]]))
        );
        assert_eq!(
            arranged(json!(["e"]), whole, &wrapping(Arrangement::Command)),
            Err(Code::ListMayBeEmpty)
        );
    }

    #[test]
    fn what_cannot_be_quoted_is_refused() {
        for words in [
            json!([{"Ref": "X"}]),
            json!(["a\0b"]),
            json!(["-x"]),
            json!(["a", "{{resolve:ssm:/x}}"]),
        ] {
            assert_eq!(arranged(words, json!([]), &shell()), Err(Code::CannotQuote));
        }
    }

    /// How a container with these lists and this entry point of its image is recognised.
    fn recognised(entry_point: Value, command: Value, image: Value) -> Recognised {
        let list = |value: Value| value.as_array().cloned().unwrap_or_default();
        let (entry_point, command) = (Words::List(list(entry_point)), Words::List(list(command)));
        let stated = Stated {
            entry_point: &entry_point,
            command: &command,
            image_entry_point: list(image),
            image_command: Vec::new(),
            unquotable: &[],
        };
        let (entry_point, command) = stated.effective();
        let known = Known {
            entry_point,
            command,
            starts_in_image: stated.starts_in_image(),
            wrappings: vec![wrapping(Arrangement::Prefix), shell()],
        };
        recognise(&[known], &["/old/wrap.sh".to_owned()])
    }

    #[test]
    fn a_wrapper_is_recognised_where_it_stands() {
        let of = recognised;
        assert_eq!(
            of(json!(["/wrap", "a"]), json!([]), json!([])),
            Recognised::Wrapped
        );
        assert_eq!(
            of(json!([]), json!(["/wrap", "a"]), json!([])),
            Recognised::Wrapped
        );
        assert_eq!(
            of(json!([]), json!(["a"]), json!(["/wrap"])),
            Recognised::InImage
        );
        assert_eq!(
            of(
                json!(["sh", "-c", "sudo -E /wrap && exec a"]),
                json!([]),
                json!([])
            ),
            Recognised::Wrapped
        );
        assert_eq!(
            of(
                json!(["sh", "-c", "sudo -E /wrapper"]),
                json!([]),
                json!([])
            ),
            Recognised::Foreign
        );
        assert_eq!(
            of(json!(["a", "/wrap"]), json!([]), json!([])),
            Recognised::Foreign
        );
        assert_eq!(
            of(json!(["a"]), json!(["b"]), json!(["/wrap"])),
            Recognised::Plain
        );
        assert_eq!(
            of(json!([]), json!([]), json!(["/old/wrap.sh", "a"])),
            Recognised::Foreign
        );
        assert_eq!(
            of(json!(["/wrap", "/old/wrap.sh"]), json!([]), json!([])),
            Recognised::Wrapped
        );
    }

    #[test]
    fn a_wrapper_without_a_program_is_told() {
        let of = |entry_point| recognised(entry_point, json!([]), json!([]));
        let vanishes = json!({"Fn::If": ["C", "/app", {"Ref": "AWS::NoValue"}]});
        for hollow in [
            json!(["/wrap"]),
            json!(["/wrap", vanishes]),
            json!(["/wrap", "--", "now"]),
            json!(["sh", "-c", "sudo -E /wrap "]),
        ] {
            assert_eq!(of(hollow.clone()), Recognised::Hollow, "{hollow}");
        }
        assert_eq!(of(json!(["/wrap", vanishes, "-v"])), Recognised::Wrapped);
        assert_eq!(
            recognised(json!([]), json!(["/wrap"]), json!([])),
            Recognised::Hollow
        );
        assert_eq!(of(json!(["/wrap", "/wrap", "a"])), Recognised::Twice);
        assert_eq!(
            of(json!(["/wrap", "sh", "-c", "sudo -E /wrap && exec a"])),
            Recognised::Twice
        );
        // What the image brings is the image's own matter.
        assert_eq!(
            recognised(json!([]), json!([]), json!(["/wrap"])),
            Recognised::InImage
        );
    }

    #[test]
    fn a_composed_entry_point_is_recognised() {
        let list = json!({"Fn::Split": [",", {"Ref": "Words"}]});
        let composed = composed(&[json!("/wrap")], &list).unwrap();
        assert_eq!(joined_head(&composed), vec![&json!("/wrap")]);
        assert_eq!(joined_head(&list), Vec::<&Value>::new());
    }
}
