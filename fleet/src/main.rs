//! Wires the program to its process; all else is in the library, where tests can call it.

use std::env;
use std::ffi::OsString;
use std::io;

use cli::{Console, Exit, Terminals, Variables};

fn main() -> Exit {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    fleet::run_on(
        &args,
        Console {
            stdin: &mut io::stdin().lock(),
            stdout: &mut io::stdout().lock(),
            stderr: &mut io::stderr().lock(),
            terminals: Terminals::of_process(),
            variables: Variables::of_process(),
        },
    )
}
