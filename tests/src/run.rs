//! The filters, in process.

use std::ffi::OsString;

use cli::{Console, Exit, Terminals, Variables};

/// What a run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The exit code.
    pub exit: u8,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, as text.
    pub stderr: String,
}

/// Runs `cfn-filter` with these arguments and this standard input, and without a network: with
/// `--offline`, unless the arguments have `--locked`, which means that, too.
pub fn cfn_filter(args: &[String], stdin: &[u8]) -> Ran {
    cfn_filter_online(&without_network(args), stdin, Variables::default())
}

/// Runs `tf-filter` in the same way.
pub fn tf_filter(args: &[String], stdin: &[u8]) -> Ran {
    let args = without_network(args);
    run(tf_filter::run_on, &args, stdin, Variables::default())
}

fn without_network(args: &[String]) -> Vec<String> {
    let mut args = args.to_vec();
    if !args
        .iter()
        .any(|arg| arg == "--offline" || arg == "--locked")
    {
        args.push("--offline".to_owned());
    }
    args
}

/// Runs `cfn-filter` with these arguments, this standard input and this environment; it asks the
/// registries that the document names, unless the arguments or a proxy of the environment lead it
/// elsewhere.
pub fn cfn_filter_online(args: &[String], stdin: &[u8], variables: Variables) -> Ran {
    run(cfn_filter::run_on, args, stdin, variables)
}

fn run(
    program: fn(&[OsString], Console<'_>) -> Exit,
    args: &[String],
    mut stdin: &[u8],
    variables: Variables,
) -> Ran {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = program(
        &args,
        Console {
            stdin: &mut stdin,
            stdout: &mut stdout,
            stderr: &mut stderr,
            terminals: Terminals::default(),
            variables,
        },
    );
    Ran {
        exit: exit.code(),
        stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}
