//! Whose credentials open a private image: those that the administrator bound to its registry.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outrigger_tests::servers::image::Family;
use outrigger_tests::servers::samples::single;
use outrigger_tests::servers::{Access, Login, Moto};
use serde_json::{Value, json};

use crate::hosts::Hosts;
use crate::images::usual;
use crate::secret;
use crate::server::{Reply, ReplyBody, Seen};
use crate::service::{failure, lacework, program_of, task};
use crate::subject::Subject;
use crate::world::{ECR, World};

/// A template with a private image, whose secret this is.
fn private(image: &str, secret: &str) -> Value {
    task(json!([{
        "Name": "api",
        "Image": image,
        "RepositoryCredentials": {"CredentialsParameter": secret},
    }]))
}

#[test]
fn a_bound_secret_opens_the_registry() {
    let Some(world) = World::start(Access::Password) else {
        return;
    };
    world.push("shop/private", &single(Family::Oci));
    let value = json!({"username": Login::USER, "password": Login::PASSWORD}).to_string();
    let secret = json!({"Name": "hub", "SecretString": value});
    let created = world
        .moto
        .secrets_manager("eu-central-1", "CreateSecret", &secret);
    let arn = created.unwrap()["ARN"].as_str().unwrap().to_owned();
    let template = private("registry.example.com/shop/private:1", &arn);
    let bindings = json!({world.registry.host(): [arn]}).to_string();
    let bound = world.subject(&[("OUTRIGGER_REGISTRY_CREDENTIALS", &bindings)]);
    let processed = bound.process(&template, &Default::default()).unwrap();
    assert_eq!(
        program_of(&processed, 0),
        json!(["/entry", "amd64", "serve"])
    );
    // Bound to another registry, it is not read: nobody is where it would be asked for.
    let bindings = json!({"registry.example.com": [arn]}).to_string();
    let unbound = world.subject(&[
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("OUTRIGGER_REGISTRY_CREDENTIALS", &bindings),
    ]);
    let told = failure(&unbound, &template);
    assert!(told.contains("credentials-not-allowed"), "{told}");
}

#[test]
fn a_secret_that_is_not_bound_is_never_read() {
    let hosts = Hosts::new();
    let images = usual();
    let registry = hosts.plain(move |seen| images.reply(seen));
    let secrets = hosts.plain(|_| Reply::new(500));
    let (host, url) = (registry.host(), format!("http://{}", secrets.host()));
    let bindings =
        json!({host.clone(): [secret("other-AbCdEf")], "docker.io": [secret("hub-AbCdEf")]});
    let bindings = bindings.to_string();
    let settings = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("OUTRIGGER_INSECURE_REGISTRIES", &host),
        ("OUTRIGGER_REGISTRY_CREDENTIALS", &bindings),
    ];
    let subject = Subject::start(&lacework(&settings));
    let told = failure(
        &subject,
        &private(&format!("{host}/shop/api:1"), &secret("hub-AbCdEf")),
    );
    insta::assert_snapshot!(told.replace(&host, "HOST"), @"`Task`, container `api`, image `HOST/shop/api:1`: image `HOST/shop/api:1` cannot be read from `HOST`: the secret `arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf` is not bound to the registry `HOST`, and was not read (credentials-not-allowed) (image-unresolved); way out: an administrator can bind its ARN to `HOST` in the setting `OUTRIGGER_REGISTRY_CREDENTIALS`, or state `EntryPoint`, `Command` and `User` in the template");
    assert_eq!((secrets.seen().len(), registry.seen().len()), (0, 0));
}

#[test]
fn a_secret_that_is_denied_is_named() {
    let hosts = Hosts::new();
    let registry =
        hosts.plain(|_| Reply::new(401).header("www-authenticate", "Basic realm=\"shop\""));
    let secrets = hosts.plain(|_| {
        let said = "User: arn:aws:sts::123456789012:assumed-role/macro is not authorized to \
                    perform: secretsmanager:GetSecretValue";
        let body = json!({"__type": "AccessDeniedException", "Message": said});
        Reply::new(400).body(ReplyBody::Whole(Some(body.to_string().into())))
    });
    let (host, url) = (registry.host(), format!("http://{}", secrets.host()));
    let bindings = json!({host.clone(): [secret("hub-AbCdEf")]}).to_string();
    let settings = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("OUTRIGGER_INSECURE_REGISTRIES", &host),
        ("OUTRIGGER_REGISTRY_CREDENTIALS", &bindings),
    ];
    let subject = Subject::start(&lacework(&settings));
    let told = failure(
        &subject,
        &private(&format!("{host}/shop/api:1"), &secret("hub-AbCdEf")),
    );
    insta::assert_snapshot!(told.replace(&host, "HOST"), @"`Task`, container `api`, image `HOST/shop/api:1`: image `HOST/shop/api:1` cannot be read from `HOST`: the secret `arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf` cannot be used: `GetSecretValue` is not allowed: User: arn:aws:sts::123456789012:assumed-role/macro is not authorized to perform: secretsmanager:GetSecretValue (aws-denied) (image-unresolved); way out: allow `secretsmanager:GetSecretValue`, and `kms:Decrypt` for a key of your own, or state `EntryPoint`, `Command` and `User` in the template");
}

/// A proxy that leads every connection to one server.
struct Proxy {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                connect(&client, server).unwrap();
            }
        });
        Self {
            address,
            over,
            thread: Some(thread),
        }
    }
}

/// Answers `CONNECT`, and copies from each side to the other until it has no more.
fn connect(mut client: &TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let mut head = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    // The client says nothing more before it has the answer.
    while head.read_line(&mut line)? > 2 {
        line.clear();
    }
    let server = TcpStream::connect(server)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    for (from, to) in [(client, &server), (&server, client)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    }
    Ok(())
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[test]
fn the_accounts_own_registry_is_read_with_a_token() {
    let Some(moto) = Moto::start().unwrap() else {
        return;
    };
    let hosts = Hosts::new();
    // What moto gives out for the account.
    let token = format!("Basic {}", STANDARD.encode("AWS:123456789012-auth-token"));
    let images = usual();
    let registry = hosts.tls(ECR, move |seen: &Seen| match &seen.authorization {
        Some(given) if *given == token => images.reply(seen),
        _ => Reply::new(401).header("www-authenticate", "Basic realm=\"ecr\""),
    });
    let proxy = Proxy::start(registry.address);
    let folder = tempfile::tempdir().unwrap();
    let certificates = folder.path().join("ca.pem");
    std::fs::write(&certificates, registry.ca.as_ref().unwrap()).unwrap();
    let (url, proxy_url) = (moto.url(), format!("http://{}", proxy.address));
    let subject = Subject::start(&lacework(&[
        ("AWS_ENDPOINT_URL", &url),
        ("HTTPS_PROXY", &proxy_url),
        ("OUTRIGGER_CA_BUNDLE", certificates.to_str().unwrap()),
    ]));
    let image = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/shop/api:1";
    let template = task(json!([{"Name": "api", "Image": {"Fn::Sub": image}}]));
    let processed = subject.process(&template, &Default::default()).unwrap();
    assert_eq!(program_of(&processed, 0), json!(["server"]));
    let hosts: Vec<String> = registry.seen().into_iter().map(|seen| seen.host).collect();
    assert_eq!(hosts, [ECR; 3]);
}
