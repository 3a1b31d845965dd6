//! The process: who may talk to it, how it ends, and what it leaves behind.

use std::future::Future;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use outrigger_tests::plugin::{FUNCTION, HEALTH, Identity, Plugin, SCHEMA, call_of_instrument};
use outrigger_tests::terraform::{Workspace, terraform};
use tempfile::TempDir;

use crate::{OUTRIGGER, configuration};

/// Far longer than a process needs to end, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    { runtime }.enable_all().build().unwrap().block_on(test)
}

fn start(temporary: &TempDir, identity: &Identity) -> Plugin {
    Plugin::start(Path::new(OUTRIGGER), temporary.path(), identity).unwrap()
}

fn left(temporary: &TempDir) -> usize {
    std::fs::read_dir(temporary.path()).unwrap().count()
}

/// Waits for the end of the process, and gives its exit code.
fn end(plugin: &mut Plugin) -> Option<i32> {
    let started = Instant::now();
    loop {
        if let Some(status) = plugin.child.try_wait().unwrap() {
            return status.code();
        }
        assert!(started.elapsed() < PATIENCE, "the provider does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn only_the_client_with_the_certificate_is_served() {
    let (temporary, identity) = (TempDir::new().unwrap(), Identity::new().unwrap());
    let mut plugin = start(&temporary, &identity);
    let folder = plugin.socket.parent().unwrap().metadata().unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    run(async {
        let stranger = Identity::new().unwrap();
        for nobody in [None, Some(&stranger)] {
            let refused = match plugin.connect(nobody).await {
                Ok(mut connection) => connection.call(SCHEMA, b"").await.map(|_| ()),
                Err(error) => Err(error),
            };
            assert!(refused.is_err());
        }
        let mut connection = plugin.connect(Some(&identity)).await.unwrap();
        let schema = connection.call(SCHEMA, b"").await.unwrap();
        let text = String::from_utf8_lossy(&schema);
        assert!(text.contains("instrument_task") && text.contains("outrigger_images"));
        // There is one client: nothing is left to connect to.
        assert_eq!(left(&temporary), 0);
        assert!(plugin.connect(Some(&identity)).await.is_err());
        connection.call(HEALTH, b"").await.unwrap();
        let unknown = connection
            .call("/tfplugin6.Provider/ImportResourceState", b"")
            .await;
        assert_eq!(unknown, Err("status 12".to_owned()));
        connection
            .call("/plugin.GRPCController/Shutdown", b"")
            .await
            .unwrap();
    });
    assert_eq!(end(&mut plugin), Some(0));
}

#[test]
fn it_says_why_it_does_not_start() {
    let (temporary, identity) = (TempDir::new().unwrap(), Identity::new().unwrap());
    let said = |change: &dyn Fn(&mut Command)| {
        let mut command = Plugin::command(Path::new(OUTRIGGER), temporary.path(), &identity);
        change(&mut command);
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        String::from_utf8(output.stderr)
            .unwrap()
            .trim_end()
            .to_owned()
    };
    let without = said(&|command| {
        command.env_remove("TF_PLUGIN_MAGIC_COOKIE");
    });
    insta::assert_snapshot!(without, @"
    error: this is a provider for Terraform, which starts it: `TF_PLUGIN_MAGIC_COOKIE` is not set
      hint: name the provider in `required_providers`, and run `terraform init`
    ");
    let wrong = said(&|command| {
        command.env("TF_PLUGIN_MAGIC_COOKIE", "hunter2");
    });
    insta::assert_snapshot!(wrong, @"
    error: this is a provider for Terraform, which starts it: `TF_PLUGIN_MAGIC_COOKIE` is another one than Terraform's
      hint: name the provider in `required_providers`, and run `terraform init`
    ");
    let old = said(&|command| {
        command.env("PLUGIN_PROTOCOL_VERSIONS", "4,5");
    });
    insta::assert_snapshot!(old, @"
    error: Terraform speaks the versions 4,5 of the plugin protocol, and this provider version 6
      hint: use Terraform 1.8 or later, or OpenTofu 1.7 or later
    ");
    let nobody = said(&|command| {
        command.env_remove("PLUGIN_CLIENT_CERT");
    });
    insta::assert_snapshot!(nobody, @"error: `PLUGIN_CLIENT_CERT` is not set: a client without a certificate is not served");
    let broken = said(&|command| {
        command.env("PLUGIN_CLIENT_CERT", "hunter2");
    });
    insta::assert_snapshot!(broken, @"error: `PLUGIN_CLIENT_CERT` holds no certificate");
    let nowhere = said(&|command| {
        command.env("TMPDIR", "/nowhere");
    });
    insta::assert_snapshot!(nowhere, @r#"
    error: the socket `/nowhere` cannot be used: entity not found
      hint: set `TMPDIR` to a folder with a short path that can be written
    "#);
    assert_eq!(left(&temporary), 0);
}

#[test]
fn it_ends_with_the_terraform_that_has_started_it() {
    let identity = Identity::new().unwrap();
    // Before anybody has connected: nobody reads what it says.
    let temporary = TempDir::new().unwrap();
    let mut plugin = start(&temporary, &identity);
    assert_eq!(left(&temporary), 1);
    drop(plugin.child.stdout.take());
    assert_eq!((end(&mut plugin), left(&temporary)), (Some(0), 0));
    // In the middle of its work: the connection breaks.
    let mut plugin = start(&temporary, &identity);
    run(async {
        let mut connection = plugin.connect(Some(&identity)).await.unwrap();
        connection.call(SCHEMA, b"").await.unwrap();
    });
    assert_eq!((end(&mut plugin), left(&temporary)), (Some(0), 0));
    // It is told to end.
    let mut plugin = start(&temporary, &identity);
    let id = plugin.child.id().to_string();
    let told = Command::new("kill")
        .args(["-TERM", &id])
        .stdout(Stdio::null())
        .status();
    assert!(told.unwrap().success());
    assert_eq!((end(&mut plugin), left(&temporary)), (Some(0), 0));
}

#[test]
fn it_answers_call_after_call() {
    let (temporary, identity) = (TempDir::new().unwrap(), Identity::new().unwrap());
    let plugin = start(&temporary, &identity);
    run(async {
        let mut connection = plugin.connect(Some(&identity)).await.unwrap();
        let call = call_of_instrument();
        for _ in 0..100 {
            let answer = connection.call(FUNCTION, &call).await.unwrap();
            let text = String::from_utf8_lossy(&answer);
            assert!(text.contains("al-agent"), "{text}");
        }
    });
}

/// A configuration that asks a registry which never answers; it and the registry.
fn waiting(terraform: &Path) -> (Workspace, TcpListener) {
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = registry.local_addr().unwrap();
    let text = format!(
        "provider \"outrigger\" {{\n  insecure_registries = [\"{host}\"]\n}}\ndata \"outrigger_images\" \"this\" {{\n  images = [\"{host}/web:v1\"]\n}}\n"
    );
    (configuration(terraform, &text), registry)
}

/// Sends a signal to a Terraform that waits for the registry, and gives what it said.
fn signalled(signal: &str) -> Option<(std::process::Output, usize)> {
    let terraform = terraform().unwrap()?;
    let (workspace, registry) = waiting(&terraform);
    let child = workspace
        .command(&["plan", "-input=false", "-no-color"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The provider is at work.
    let (mut connection, _) = registry.accept().unwrap();
    let id = child.id().to_string();
    let told = Command::new("kill").args([signal, &id]).status();
    assert!(told.unwrap().success());
    let output = child.wait_with_output().unwrap();
    // The process of the provider closes its connections when it ends, and not before.
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut asked = Vec::new();
    connection.read_to_end(&mut asked).unwrap();
    Some((
        output,
        std::fs::read_dir(workspace.temporary()).unwrap().count(),
    ))
}

#[test]
fn it_ends_with_a_terraform_that_is_killed() {
    if let Some((output, left)) = signalled("-KILL") {
        assert_eq!((output.status.code(), left), (None, 0));
    }
}

#[test]
fn it_stops_what_it_does_when_a_person_interrupts_terraform() {
    if let Some((output, left)) = signalled("-INT") {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("reading was interrupted"), "{said}");
        assert_eq!((output.status.code(), left), (Some(1), 0));
    }
}
