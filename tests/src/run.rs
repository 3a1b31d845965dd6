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

/// Runs `cfn-filter` with these arguments and this standard input.
pub fn cfn_filter(args: &[String], stdin: &[u8]) -> Ran {
    let (mut stdin, mut stdout, mut stderr) = (stdin, Vec::new(), Vec::new());
    let exit = cfn_filter::run(args, &mut stdin, &mut stdout, &mut stderr);
    Ran {
        exit: exit.code(),
        stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}
