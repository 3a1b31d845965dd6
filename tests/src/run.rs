//! `cfn-filter`, in process.

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
    let mut args = args.to_vec();
    if !args
        .iter()
        .any(|arg| arg == "--offline" || arg == "--locked")
    {
        args.push("--offline".to_owned());
    }
    let (mut stdin, mut stdout, mut stderr) = (stdin, Vec::new(), Vec::new());
    let exit = cfn_filter::run(args, &mut stdin, &mut stdout, &mut stderr);
    Ran {
        exit: exit.code(),
        stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}
