//! What the program spends on each thing that a registry can do wrong. In a process of its own it
//! ends in time, says what is wrong, and stays small.

mod bomb;
mod cases;
mod documents;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::{Ended, command, end_of};
use crate::server::{Reply, Seen, Server};

/// Bytes that a case may take. A good image takes 26 MB in an unoptimised build, most of which is the
/// program, and how much of a program the system maps is not the same everywhere.
const MEMORY: u64 = 64_000_000;
/// The same where an answer is as large as the limits allow, and is read, understood and shown:
/// what the smallest AWS Lambda has.
const MEMORY_LARGE: u64 = 128_000_000;
/// The same for many large answers: 70 MB were seen, and 126 MB when all come at once.
const MEMORY_AT_ONCE: u64 = 96_000_000;
/// How much longer than it was given the program may take, on a machine that does much else.
const SLACK: Duration = Duration::from_secs(10);

/// One thing that goes wrong.
struct Case {
    name: String,
    /// Code of the error; empty where the image is read all the same.
    code: &'static str,
    image: String,
    options: String,
    variables: Vec<(&'static str, String)>,
    /// Files for the options.
    files: Vec<(&'static str, Vec<u8>)>,
    /// The registry, and others, who must not see its credentials.
    servers: Vec<Server>,
    /// Somebody on this machine whom nobody may contact.
    hidden: Option<Server>,
    /// The time that the program is given.
    seconds: u64,
    memory: u64,
}

impl Case {
    fn new(name: impl Into<String>, code: &'static str, image: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            code,
            image: image.into(),
            options: String::new(),
            variables: Vec::new(),
            files: Vec::new(),
            servers: Vec::new(),
            hidden: None,
            seconds: 10,
            memory: MEMORY,
        }
    }

    /// An image of a registry on this machine.
    fn at(name: &'static str, code: &'static str, registry: Server) -> Self {
        let image = format!("{}/app:1", registry.host());
        Self::new(name, code, image).beside(registry)
    }

    /// The same, of a registry that answers so.
    async fn answer(
        name: &'static str,
        code: &'static str,
        reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::at(name, code, Server::plain(reply).await)
    }

    /// With a server more that may be asked.
    fn beside(mut self, server: Server) -> Self {
        self = self.option(&format!("--insecure-registry {}", server.host()));
        self.servers.push(server);
        self
    }

    fn option(mut self, option: &str) -> Self {
        self.options = format!("{} {option}", self.options);
        self
    }

    /// With `user:secret` for the registry.
    fn password(mut self) -> Self {
        let login = r#"{"username": "user", "password": "secret"}"#;
        let auths = format!(r#"{{"auths": {{"{}": {login}}}}}"#, self.servers[0].host());
        self.variables.push(("DOCKER_AUTH_CONFIG", auths));
        self
    }

    fn seconds(self, seconds: u64) -> Self {
        Self { seconds, ..self }
    }

    fn memory(self, memory: u64) -> Self {
        Self { memory, ..self }
    }

    /// Runs it; gives its line of the table.
    async fn line(self) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in &self.files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let program = env!("CARGO_BIN_EXE_cfn-filter-under-test");
        let mut command = measured(Path::new(program), folder.path());
        command
            .args(["image", "inspect", &self.image, "--timeout"])
            .arg(self.seconds.to_string())
            .args(self.options.split_whitespace())
            .envs(self.variables.clone());
        let limit = Duration::from_secs(self.seconds) + SLACK;
        let ended = in_time(&self.name, command, limit).await;
        self.check(&ended);
        let requests: usize = self.servers.iter().map(|server| server.seen().len()).sum();
        let spent = spent(&self.name, self.memory, folder.path());
        let (name, code) = (&self.name, quoted(self.code));
        let exit = ended.code.unwrap();
        format!("| {name} | {code} | {exit} | {requests} | {spent} |")
    }

    fn check(&self, ended: &Ended) {
        let (name, said) = (&self.name, &ended.stderr);
        match self.code {
            "" => assert_eq!((ended.code, said.as_str()), (Some(0), ""), "{name}"),
            code => {
                assert_eq!(ended.code, Some(1), "{name}: {said}");
                assert!(said.contains(&format!("({code})\n")), "{name}: {said}");
            }
        }
        for text in [&ended.stdout, said] {
            let shown = text.contains("secret") || text.contains("dXNlcjpzZWNyZXQ");
            assert!(!shown, "{name}: {text}");
        }
        for other in self.servers.iter().skip(1) {
            assert_eq!(other.authorizations(), [""; 0], "{name}");
        }
        if let Some(hidden) = &self.hidden {
            assert_eq!(hidden.connections(), 0, "{name}");
        }
    }
}

/// Where the program that measures notes what it finds.
const REPORT: &str = "spent";

/// A program, started by one that measures it.
fn measured(program: &Path, folder: &Path) -> Command {
    let mut command = command(env!("CARGO_BIN_EXE_peak-memory"), folder);
    command.arg(REPORT).arg(program);
    command
}

async fn in_time(name: &str, command: Command, limit: Duration) -> Ended {
    let ended = tokio::time::timeout(limit, end_of(command)).await;
    ended.unwrap_or_else(|_| panic!("{name}: no end within {limit:?}"))
}

/// Time and memory of a case that ended, if the memory is within the limit.
fn spent(name: &str, limit: u64, folder: &Path) -> String {
    let report = fs::read_to_string(folder.join(REPORT)).unwrap();
    let (bytes, time) = report.split_once(' ').unwrap();
    let bytes: u64 = bytes.parse().unwrap();
    assert!(bytes < limit, "{name}: {bytes} bytes");
    format!("{time} | {:.1}", bytes as f64 / 1e6)
}

fn quoted(code: &str) -> String {
    match code {
        "" => String::new(),
        code => format!("`{code}`"),
    }
}

#[test]
fn each_hostile_case_ends_in_time_and_stays_small() {
    crate::run(async {
        println!("| case | code | exit | requests | ms | peak MB |");
        println!("|---|---|---|---|---|---|");
        for case in cases::all().await {
            println!("{}", case.line().await);
        }
        println!("{}", names_of_hosts().await);
    });
}

/// Nothing makes a name resolve to these addresses for another program. So this is the library's
/// own test, in a process of its own.
async fn names_of_hosts() -> String {
    let folder = tempfile::tempdir().unwrap();
    let test = "network::names_of_hosts_that_are_not_contacted";
    let mut command = measured(&std::env::current_exe().unwrap(), folder.path());
    command.args(["--exact", test]);
    let ended = in_time(test, command, SLACK).await;
    assert!(ended.stdout.contains("1 passed"), "{}", ended.stdout);
    let spent = spent(test, MEMORY, folder.path());
    let name =
        "hosts with names for 127.0.0.1, 169.254.169.254 and ::ffff:169.254.169.254 (library)";
    format!("| {name} | `address-not-allowed` | | 0 | {spent} |")
}
