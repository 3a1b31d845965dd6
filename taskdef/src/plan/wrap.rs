//! How a recipe's wrapper is put in front of a program, and how a wrapped program is recognised.

use serde_json::Value;

use crate::cloudformation::intrinsic::{as_if, call, function, is_no_value, scalar_text};
use crate::edit::Edit;
use crate::process::{Process, merge};
use crate::recipe::{Arrangement, Wrapping};
use crate::report::Code;

use super::Refusal;

/// Joins lists that are intrinsic functions; stands in no real argument.
const SEPARATOR: &str = "|outrigger|";

/// A list of a process: its elements, or an intrinsic function that stands for all of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Words {
    /// The elements; each may be an intrinsic function.
    List(Vec<Value>),
    /// The whole list, and whether it cannot be empty.
    Whole(Value, bool),
}

impl Words {
    /// A list as an edit writes it.
    pub(crate) fn of(value: &Value) -> Words {
        match value {
            Value::Array(items) => Words::List(items.clone()),
            whole => Words::Whole(whole.clone(), true),
        }
    }

    /// Whether nothing is stated.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Words::List(items) if items.is_empty())
    }

    /// Whether the list may turn out empty at deployment although something is stated.
    pub(crate) fn may_be_empty(&self) -> bool {
        match self {
            Words::List(items) => !items.is_empty() && items.iter().all(may_vanish),
            Words::Whole(_, never_empty) => !never_empty,
        }
    }

    /// The elements that are known to stand first.
    pub(crate) fn head(&self) -> Vec<&Value> {
        match self {
            Words::List(items) => items.iter().collect(),
            Words::Whole(value, _) => joined_head(value),
        }
    }

    /// Everything that is stated.
    fn values(&self) -> impl Iterator<Item = &Value> {
        match self {
            Words::List(items) => items.iter(),
            Words::Whole(value, _) => std::slice::from_ref(value).iter(),
        }
    }

    fn elements(&self) -> Option<&[Value]> {
        match self {
            Words::List(items) => Some(items),
            Words::Whole(..) => None,
        }
    }

    /// As texts for a report.
    pub(crate) fn shown(&self) -> Vec<String> {
        match self {
            Words::List(items) => items.iter().map(crate::container::shown).collect(),
            Words::Whole(value, _) => vec![crate::container::shown(value)],
        }
    }
}

/// Whether an element may be `AWS::NoValue`.
pub(crate) fn may_vanish(item: &Value) -> bool {
    match as_if(item) {
        Some((_, yes, no)) => may_vanish(yes) || may_vanish(no),
        None => is_no_value(item),
    }
}

/// What a container states, and what its image says (empty when it takes no part).
pub(crate) struct Stated<'s> {
    pub(crate) entry_point: &'s Words,
    pub(crate) command: &'s Words,
    pub(crate) image_entry_point: Vec<Value>,
    pub(crate) image_command: Vec<Value>,
    /// Texts that may become something that cannot be quoted.
    pub(crate) unquotable: &'s [String],
}

impl Stated<'_> {
    /// The effective lists; a whole intrinsic list counts as stated.
    pub(crate) fn effective(&self) -> (Words, Words) {
        match (self.entry_point, self.command) {
            (Words::List(entry_point), Words::List(command)) => {
                let Process {
                    entry_point,
                    command,
                } = merge(
                    entry_point,
                    command,
                    &self.image_entry_point,
                    &self.image_command,
                );
                (Words::List(entry_point), Words::List(command))
            }
            (entry_point, command) if entry_point.is_absent() => {
                (Words::List(self.image_entry_point.clone()), command.clone())
            }
            (entry_point, command) => (entry_point.clone(), command.clone()),
        }
    }

    /// Whether the first argument comes from the image.
    fn starts_in_image(&self) -> bool {
        self.entry_point.is_absent()
            && (!self.image_entry_point.is_empty() || self.command.is_absent())
    }

    /// Refuses a command that may turn out empty where the image's would take its place.
    fn command_is_certain(&self) -> Result<(), Refusal> {
        if self.entry_point.is_absent()
            && self.command.may_be_empty()
            && !self.image_command.is_empty()
        {
            return Err(may_be_empty("command"));
        }
        Ok(())
    }
}

/// How a container relates to a recipe's wrappers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recognised {
    /// The process does not mention a wrapper.
    Plain,
    /// It starts with one, which the task definition states.
    Wrapped,
    /// It starts with one, which the image brings.
    InImage,
    /// It mentions one in another place.
    Foreign,
}

/// Looks for the recipe's wrappers in a process.
pub(crate) fn recognise(stated: &Stated<'_>, wrappings: &[&Wrapping]) -> Recognised {
    let (entry_point, command) = stated.effective();
    let mut arguments = entry_point.head();
    if entry_point.elements().is_some() {
        arguments.extend(command.head());
    }
    if wrappings
        .iter()
        .any(|wrapping| starts_with(&arguments, wrapping))
    {
        return match stated.starts_in_image() {
            true => Recognised::InImage,
            false => Recognised::Wrapped,
        };
    }
    let programs: Vec<&str> = wrappings
        .iter()
        .flat_map(|wrapping| programs(wrapping))
        .collect();
    let mut all = entry_point.values().chain(command.values());
    match all.any(|value| mentions(value, &programs)) {
        true => Recognised::Foreign,
        false => Recognised::Plain,
    }
}

fn starts_with(arguments: &[&Value], wrapping: &Wrapping) -> bool {
    let wrapper = &wrapping.wrapper;
    let Some((begin, rest)) = arguments.split_at_checked(wrapper.len()) else {
        return false;
    };
    if wrapper.is_empty() || !begin.iter().copied().eq(wrapper) {
        return false;
    }
    match &wrapping.script {
        None => true,
        Some(script) => rest
            .first()
            .and_then(|word| word.as_str())
            .and_then(|text| text.strip_prefix(script.as_str()))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')),
    }
}

/// The files that a wrapping starts.
fn programs(wrapping: &Wrapping) -> impl Iterator<Item = &str> {
    let words = wrapping.wrapper.iter().filter_map(Value::as_str);
    let script = wrapping
        .script
        .iter()
        .flat_map(|script| script.split_whitespace());
    words
        .take(1)
        .chain(script)
        .filter(|word| word.starts_with('/') && *word != "/bin/sh")
}

fn mentions(value: &Value, programs: &[&str]) -> bool {
    match value {
        Value::String(text) => programs.iter().any(|program| text.contains(program)),
        Value::Array(items) => items.iter().any(|item| mentions(item, programs)),
        Value::Object(map) => map.values().any(|item| mentions(item, programs)),
        _ => false,
    }
}

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
            "state `EntryPoint` or `Command`",
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

/// The elements that a list composed by [`composed`] is known to start with.
fn joined_head(value: &Value) -> Vec<&Value> {
    let Some(("Fn::Split", Value::Array(split))) = function(value) else {
        return Vec::new();
    };
    let [separator, joined] = split.as_slice() else {
        return Vec::new();
    };
    let Some(("Fn::Join", Value::Array(join))) = function(joined) else {
        return Vec::new();
    };
    match join.as_slice() {
        [delimiter, Value::Array(parts)] if delimiter == separator => {
            parts.iter().take_while(|part| part.is_string()).collect()
        }
        _ => Vec::new(),
    }
}

/// Entry point and command as one list of elements that are certainly there.
fn literal(entry_point: &Words, command: &Words) -> Result<Vec<Value>, Refusal> {
    match (entry_point.elements(), command.elements()) {
        (Some(entry_point), Some(command)) => Ok([entry_point, command].concat()),
        (None, _) => Err(may_be_empty("entry point")),
        (_, None) => Err(may_be_empty("command")),
    }
}

fn may_be_empty(which: &str) -> Refusal {
    Refusal::new(
        Code::ListMayBeEmpty,
        format!(
            "the {which} is an intrinsic function that may give an empty list, so what runs cannot be kept"
        ),
        "write it as a literal list",
    )
}

/// Words as a line for `sh`; a word stays bare only where it certainly means itself.
pub(crate) fn shell_line(words: &[Value]) -> Result<String, Refusal> {
    let first = words.first().and_then(scalar_text);
    if first.is_some_and(|word| word.starts_with('-')) {
        return Err(cannot_quote("the program's name starts with `-`"));
    }
    let quoted: Result<Vec<String>, Refusal> = words
        .iter()
        .enumerate()
        .map(|(position, word)| match scalar_text(word) {
            Some(text) if !text.contains('\0') => Ok(quoted(&text, position == 0)),
            Some(_) => Err(cannot_quote("a word contains a NUL character")),
            None => Err(cannot_quote("a word is an intrinsic function")),
        })
        .collect();
    Ok(quoted?.join(" "))
}

fn cannot_quote(why: &str) -> Refusal {
    Refusal::new(
        Code::CannotQuote,
        format!("{why}, which cannot be quoted for a shell"),
        "write entry point and command as literal texts",
    )
}

/// Reserved words and assignments would mean something else in the first place.
fn quoted(word: &str, first: bool) -> String {
    const KEYWORDS: &[&str] = &[
        "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until",
        "while", "function", "select", "time", "coproc",
    ];
    let bare = !word.is_empty()
        && word
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "_@%+:,./-".contains(char))
        && !(first && KEYWORDS.contains(&word));
    match bare {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
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

    #[test]
    fn a_wrapper_is_recognised_where_it_stands() {
        let of = |entry_point: Value, command: Value, image: Value| {
            let list = |value: Value| value.as_array().cloned().unwrap_or_default();
            let (entry_point, command) =
                (Words::List(list(entry_point)), Words::List(list(command)));
            let stated = Stated {
                entry_point: &entry_point,
                command: &command,
                image_entry_point: list(image),
                image_command: Vec::new(),
                unquotable: &[],
            };
            recognise(&stated, &[&wrapping(Arrangement::Prefix), &shell()])
        };
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
    }

    #[test]
    fn a_composed_entry_point_is_recognised() {
        let list = json!({"Fn::Split": [",", {"Ref": "Words"}]});
        let composed = composed(&[json!("/wrap")], &list).unwrap();
        assert_eq!(joined_head(&composed), vec![&json!("/wrap")]);
        assert_eq!(joined_head(&list), Vec::<&Value>::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn quoting_survives_a_real_shell(words in proptest::collection::vec("[^\0]{0,12}|[a-z$'\"\\\\ \n!*?~#&|;<>()`=]{0,8}", 1..12)) {
            let program = ["printf".to_owned(), "%s\\0".to_owned()];
            let line: Vec<Value> = program.iter().chain(&words).map(|word| json!(word)).collect();
            let line = shell_line(&line).unwrap();
            let output = std::process::Command::new("sh").arg("-c").arg(format!("exec {line}")).output().unwrap();
            let expected: String = words.iter().map(|word| format!("{word}\0")).collect();
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout).into_owned(), expected);
        }
    }
}
