//! The one program in the images of the test `engine`: it writes what it was given to standard
//! output, as a line of JSON. Under the name of a vendor's wrapper it then becomes the program in its
//! arguments, as the vendors' wrappers do; else it ends with a code that depends on its arguments.
//!
//! `main.rs` compiles it with rustc alone: no package, and linked statically, because most of the
//! images have no libraries.

use std::env::{args_os, current_dir, vars_os};
use std::ffi::OsString;
use std::fs::read_to_string;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Wrappers, by the names of their files, each with the number of arguments of its own.
const WRAPPERS: [(&str, usize); 5] = [
    ("deepfence-entry-point-scratch.sh", 0),
    ("defender", 2),
    ("instrument", 0),
    ("lacework-sidecar.sh", 0),
    ("sudo", 1),
];

fn main() -> ExitCode {
    let words: Vec<OsString> = args_os().collect();
    let name = words.first().and_then(|word| Path::new(word).file_name());
    let wrapper = WRAPPERS
        .iter()
        .find(|(wrapper, _)| name.is_some_and(|name| name == *wrapper));
    println!("{}", report(&words, wrapper.is_some()));
    let Some((_, own)) = wrapper else {
        return ExitCode::from(10 + words.len().min(100) as u8);
    };
    let mut program = words.into_iter().skip(1 + own);
    let Some(first) = program.next() else {
        return ExitCode::SUCCESS;
    };
    let error = Command::new(first).args(program).exec();
    eprintln!("the program does not start: {error}");
    ExitCode::from(127)
}

fn report(words: &[OsString], wrapper: bool) -> String {
    let environment = vars_os().map(|(name, value)| {
        let mut variable = name;
        variable.push("=");
        variable.push(value);
        variable
    });
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let status = |key: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        quoted(line.unwrap_or_default().trim())
    };
    let directory = current_dir().map(|path| path.display().to_string());
    let members = [
        ("wrapper", wrapper.to_string()),
        ("argv", listed(words.iter().cloned())),
        ("environment", listed(environment)),
        (
            "directory",
            quoted(&directory.unwrap_or_else(|error| error.to_string())),
        ),
        ("user", status("Uid")),
        ("group", status("Gid")),
        ("groups", status("Groups")),
        ("capabilities", status("CapBnd")),
        ("first", (std::process::id() == 1).to_string()),
    ];
    let members = members.map(|(key, value)| format!("{}:{value}", quoted(key)));
    format!("{{{}}}", members.join(","))
}

fn listed(words: impl Iterator<Item = OsString>) -> String {
    let words: Vec<String> = words.map(|word| quoted(&word.to_string_lossy())).collect();
    format!("[{}]", words.join(","))
}

/// A string of JSON.
fn quoted(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        '"' | '\\' => format!("\\{letter}"),
        letter if letter.is_control() => format!("\\u{:04x}", letter as u32),
        letter => letter.to_string(),
    });
    format!("\"{}\"", letters.collect::<String>())
}
