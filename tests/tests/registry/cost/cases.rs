//! Who is contacted, what they may see, and how long they are waited for.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::{Case, documents};
use crate::access::{expiring_token, foreign, token_server};
use crate::hostile::{but, redirect, with_storage};
use crate::images::usual;
use crate::requests::with_token;
use crate::server::{Reply, ReplyBody, Seen, Server};

/// All of them.
pub(super) async fn all() -> Vec<Case> {
    let images = usual();
    let good = Case::answer("a good registry", "", move |seen| images.reply(seen)).await;
    let mut cases = vec![good];
    cases.extend(hosts().await);
    cases.extend(tokens().await);
    cases.extend(redirects().await);
    cases.extend(failures().await);
    cases.extend(documents::all().await);
    cases
}

/// Hosts that are this machine, where somebody listens, or the metadata service of a cloud.
async fn hosts() -> Vec<Case> {
    let mut local: Vec<(String, String)> = [
        "localhost",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0.0.0.0",
        "[::1]",
        "[::ffff:7f00:1]",
    ]
    .map(|host| (format!("host `{host}`"), host.to_owned()))
    .into();
    match own_name() {
        Some(name) => local.push(("host with a name for 127.0.0.1".to_owned(), name)),
        None => println!("note: /etc/hosts has no other name for this machine: not tested"),
    }
    let refused = "address-not-allowed";
    let mut cases = Vec::new();
    for (name, host) in local {
        let images = usual();
        let server = Server::plain(move |seen| images.reply(seen)).await;
        let image = format!("{host}:{}/app:1", server.address.port());
        let mut case = Case::new(name, refused, image);
        case.hidden = Some(server);
        cases.push(case);
    }
    for host in [
        "169.254.169.254",
        "0251.0376.0251.0376",
        "[::ffff:a9fe:a9fe]",
        "metadata.google.internal",
    ] {
        let image = format!("{host}/app:1");
        cases.push(Case::new(format!("host `{host}`"), refused, image));
    }
    cases
}

/// A name of this machine, besides `localhost`, that has to be looked up.
fn own_name() -> Option<String> {
    let hosts = std::fs::read_to_string("/etc/hosts").ok()?;
    let plain = |name: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        name.bytes().all(allowed) && name != "localhost"
    };
    let mut names = hosts.lines().filter_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address: IpAddr = words.next()?.parse().ok()?;
        words.find(|name| address.is_loopback() && plain(name))
    });
    names.next().map(str::to_owned)
}

async fn tokens() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, code, anonymous) in [
        ("token server on another host, for everybody", "", true),
        (
            "token server on another host, for passwords",
            "realm-not-allowed",
            false,
        ),
    ] {
        let (registry, tokens) = foreign(anonymous).await;
        let realm = format!("--insecure-registry localhost:{}", tokens.address.port());
        let case = Case::at(name, code, registry).beside(tokens);
        cases.push(case.option(&realm).password());
    }
    let images = usual();
    let name = "token server without TLS, registry with TLS";
    let plain = elsewhere(name, "realm-not-https", move |seen| {
        with_token(&images, "registry.test", seen)
    });
    cases.push(plain.await);
    let basic = |_: &Seen| Reply::new(401).header("www-authenticate", "Basic");
    let [registry, storage] = with_storage(basic).await;
    let case = Case::at(
        "Basic wanted by another host",
        "foreign-challenge",
        registry,
    );
    cases.push(case.beside(storage).password());

    let json = "application/json";
    let large = token_server(move |_| Reply::ok(json, vec![b' '; 10_000_000])).await;
    let endless = token_server(|_| Reply::new(200).body(ReplyBody::Endless)).await;
    let useless = token_server(move |_| Reply::ok(json, r#"{"token":"wrong"}"#)).await;
    let (too_large, refused) = ("answer-too-large", "credentials-required");
    cases.extend([
        Case::at("token of 10 MB", too_large, large),
        Case::at("token without end", too_large, endless),
        Case::at("token that is refused, 401", refused, useless),
        Case::at("token that expires, 401", "", expiring_token().await),
    ]);
    cases
}

async fn redirects() -> Vec<Case> {
    let images = usual();
    let refused = "redirect-not-allowed";
    let to_http = elsewhere(
        "redirect from https to http",
        refused,
        move |seen| match seen.path.contains("/blobs/") {
            true => redirect("http://registry.test/x"),
            false => images.reply(seen),
        },
    );
    let images = usual();
    let [registry, storage] = with_storage(move |seen| images.reply(seen)).await;
    let to_storage = Case::at("redirect to another host, with a password", "", registry);
    let circle = |seen: &Seen| redirect(&seen.path);
    let mut cases = vec![
        to_http.await,
        to_storage.beside(storage).password(),
        Case::answer("redirect, a loop", "too-many-redirects", circle).await,
    ];
    for (name, location) in [
        ("redirect to link-local", "http://169.254.169.254/latest/"),
        (
            "redirect to link-local, disguised",
            "http://[::ffff:a9fe:a9fe]/",
        ),
        ("redirect to loopback, disguised", "http://2130706433:1/"),
    ] {
        let (_, reply) = but("/blobs/", move |_| redirect(location));
        cases.push(Case::answer(name, "address-not-allowed", reply).await);
    }
    cases
}

async fn failures() -> Vec<Case> {
    let later = || Reply::new(429).header("retry-after", "1");
    let much_later = || Reply::new(429).header("retry-after", "3600");
    let at_first: [(_, fn() -> Reply); 3] = [
        ("429, again after 1 s, then success", later),
        ("429 without a time, then success", || Reply::new(429)),
        ("503, then success", || Reply::new(503)),
    ];
    let always: [(_, _, fn() -> Reply); 3] = [
        ("429, again after an hour", "rate-limited", much_later),
        ("429 without a time, always", "rate-limited", || {
            Reply::new(429)
        }),
        ("503, always", "registry-failed", || Reply::new(503)),
    ];
    let mut cases = Vec::new();
    for (name, wrong) in at_first {
        let images = usual();
        let reply = move |seen: &Seen| match seen.earlier == 0 && seen.path.ends_with("/1") {
            true => wrong(),
            false => images.reply(seen),
        };
        cases.push(Case::answer(name, "", reply).await);
    }
    for (name, code, wrong) in always {
        cases.push(Case::answer(name, code, move |_| wrong()).await);
    }
    cases
}

/// A registry with TLS that is not on this machine, as far as the program knows.
async fn elsewhere(
    name: &'static str,
    code: &'static str,
    reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> Case {
    let registry = Server::tls(&["registry.test"], &[b"h2"], reply).await;
    let mut case = Case::new(name, code, "registry.test/app:1").option("--ca-bundle ca.pem");
    case.files.push(("ca.pem", registry.ca.clone().unwrap()));
    let proxy = format!("http://{}", tunnel(registry.address).await);
    case.variables.push(("HTTPS_PROXY", proxy));
    case.servers.push(registry);
    case
}

/// A proxy that leads to one server, whichever is asked for.
async fn tunnel(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // Whoever goes away ends only its own connection.
            tokio::spawn(lead(client, to));
        }
    });
    address
}

async fn lead(client: TcpStream, to: SocketAddr) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if client.read_line(&mut line).await? == 0 {
            return Ok(());
        }
    }
    let mut server = TcpStream::connect(to).await?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
