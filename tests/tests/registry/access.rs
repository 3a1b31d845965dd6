//! Who sees which credentials, and what is said when they do not help.

use std::sync::atomic::{AtomicUsize, Ordering};

use registry::remote::{
    Credential, CredentialError, CredentialSource, Registries, Resolution, Secret, Settings,
    StaticCredentials, Wanted,
};
use taskdef::image::{Credentials, Platform};

use crate::images::usual;
use crate::requests::{with_password, with_token};
use crate::server::{Reply, Seen, Server};
use crate::{LONG, query, resolve, settings, shown, stable};

fn password(password: &str) -> Credential {
    Credential::password("user", Secret::new(password))
}

/// Resolves an image of a server with the same credential for everybody.
async fn resolved(settings: Settings, server: &Server, credential: Credential) -> Resolution {
    let host = server.host().parse().unwrap();
    let source = StaticCredentials::none().with(&host, credential);
    let session = Registries::new(settings, source).session(LONG);
    let reference = format!("{}/app:1", server.host());
    resolve(&session, query(&reference, Platform::LinuxAmd64)).await
}

async fn without(server: &Server) -> Resolution {
    let reference = format!("{}/app:1", server.host());
    crate::resolved(settings(&[server]), &reference).await
}

#[test]
fn what_is_said_when_access_is_refused() {
    crate::run(async {
        let mut lines = Vec::new();
        let mut note = |name: &str, server: &Server, found: &Resolution| {
            let text = stable(&shown(found), &[("HOST", server)]);
            assert!(
                !text.contains("hunter2") && !text.contains("aHVudGVyMg"),
                "{text}"
            );
            lines.push(format!("{name}: {text}"));
        };
        let images = usual();
        let basic = Server::plain(move |seen| with_password(&images, seen)).await;
        note("no password", &basic, &without(&basic).await);
        let found = resolved(settings(&[&basic]), &basic, password("hunter2")).await;
        note("wrong password", &basic, &found);

        let images = usual();
        let hidden = Server::plain(move |seen| match with_password(&images, seen) {
            reply if seen.authorization.is_some() => reply,
            _ => Reply::new(404),
        })
        .await;
        note("hidden, no password", &hidden, &without(&hidden).await);
        let found = resolved(settings(&[&hidden]), &hidden, password("secret")).await;
        note("hidden, password", &hidden, &found);

        let forbidden = Server::plain(|_| Reply::new(403)).await;
        note("403, no password", &forbidden, &without(&forbidden).await);
        let found = resolved(settings(&[&forbidden]), &forbidden, password("hunter2")).await;
        note("403, password", &forbidden, &found);

        for challenge in [
            "Negotiate",
            "Bearer service=\"x\"",
            "Bearer realm=\"nonsense\"",
            "",
            "=,,\"",
        ] {
            let odd =
                Server::plain(move |_| Reply::new(401).header("www-authenticate", challenge)).await;
            note(challenge, &odd, &without(&odd).await);
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
    no password: credentials-required: image `HOST/app:1` cannot be read from `HOST`: the image does not exist, or is private and no credentials were found: GET http://HOST/v2/app/manifests/1: 401
      hint: check the name, or give credentials for `HOST`
    wrong password: credentials-refused: image `HOST/app:1` cannot be read from `HOST`: the credentials from the caller are refused, they are wrong or have expired: GET http://HOST/v2/app/manifests/1: 401
      hint: check the user name and the password for `HOST`
    hidden, no password: image-not-found: image `HOST/app:1` cannot be read from `HOST`: the image does not exist: GET http://HOST/v2/app/manifests/1: 404
      hint: check the name and the tag of the image
    hidden, password: [] [server] user `` in `/srv` for linux/amd64
    403, no password: credentials-required: image `HOST/app:1` cannot be read from `HOST`: the image does not exist, or is private and no credentials were found: GET http://HOST/v2/app/manifests/1: 403
      hint: check the name, or give credentials for `HOST`
    403, password: access-denied: image `HOST/app:1` cannot be read from `HOST`: the credentials from the caller do not give access to the image, or it does not exist: GET http://HOST/v2/app/manifests/1: 403
      hint: check the name, and what the credentials for `HOST` may read
    Negotiate: challenge-unknown: image `HOST/app:1` cannot be read from `HOST`: it asks for credentials in a way that is not known: neither Basic nor Bearer: GET http://HOST/v2/app/manifests/1: 401
    Bearer service="x": challenge-unknown: image `HOST/app:1` cannot be read from `HOST`: it asks for credentials in a way that is not known: the token server is missing: GET http://HOST/v2/app/manifests/1: 401
    Bearer realm="nonsense": challenge-unknown: image `HOST/app:1` cannot be read from `HOST`: it asks for credentials in a way that is not known: the token server's address is no URL: GET http://HOST/v2/app/manifests/1: 401
    : challenge-unknown: image `HOST/app:1` cannot be read from `HOST`: it asks for credentials in a way that is not known: it does not say how: GET http://HOST/v2/app/manifests/1: 401
    =,,": challenge-unknown: image `HOST/app:1` cannot be read from `HOST`: it asks for credentials in a way that is not known: it does not say how: GET http://HOST/v2/app/manifests/1: 401
    "#);
    });
}

/// A registry whose token server answers as the test wants.
pub(crate) async fn token_server(token: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    let images = usual();
    Server::plain_at(|address| {
        move |seen: &Seen| match seen.path.as_str() {
            "/token" => token(seen),
            _ => with_token(&images, &address.to_string(), seen),
        }
    })
    .await
}

type Answer = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;

fn useless_tokens() -> Vec<(&'static str, Answer)> {
    let json =
        |body: &'static str| -> Answer { Box::new(move |_| Reply::ok("application/json", body)) };
    vec![
        ("refused", Box::new(|_| Reply::new(401))),
        ("forbidden", Box::new(|_| Reply::new(403))),
        ("missing", Box::new(|_| Reply::new(404))),
        ("not JSON", json("<html>")),
        ("without token", json("{}")),
        ("empty", json(r#"{"token":""}"#)),
        ("no header", json(r#"{"token":"a\nb"}"#)),
        ("not good", json(r#"{"token":"wrong"}"#)),
        (
            "10 MB",
            Box::new(|_| Reply::ok("application/json", vec![b' '; 10 << 20])),
        ),
        (
            "endless",
            Box::new(|_| Reply::new(200).body(crate::server::ReplyBody::Endless)),
        ),
    ]
}

#[test]
fn what_is_said_when_there_is_no_token() {
    crate::run(async {
        let mut lines = Vec::new();
        for (name, token) in useless_tokens() {
            let server = token_server(token).await;
            let anonymous = stable(&shown(&without(&server).await), &[("HOST", &server)]);
            let found = resolved(settings(&[&server]), &server, password("hunter2")).await;
            let text = stable(&shown(&found), &[("HOST", &server)]);
            assert!(!text.contains("hunter2"), "{text}");
            let text = if text == anonymous {
                "the same".to_owned()
            } else {
                text
            };
            lines.push(format!("{name}: {anonymous}\n  with a password: {text}"));
        }
        insta::assert_snapshot!(lines.join("\n"), @"
    refused: credentials-required: image `HOST/app:1` cannot be read from `HOST`: the image does not exist, or is private and no credentials were found: GET http://HOST/token: 401
      hint: check the name, or give credentials for `HOST`
      with a password: credentials-refused: image `HOST/app:1` cannot be read from `HOST`: the credentials from the caller are refused, they are wrong or have expired: GET http://HOST/token: 401
      hint: check the user name and the password for `HOST`
    forbidden: credentials-required: image `HOST/app:1` cannot be read from `HOST`: the image does not exist, or is private and no credentials were found: GET http://HOST/token: 403
      hint: check the name, or give credentials for `HOST`
      with a password: credentials-refused: image `HOST/app:1` cannot be read from `HOST`: the credentials from the caller are refused, they are wrong or have expired: GET http://HOST/token: 403
      hint: check the user name and the password for `HOST`
    missing: token-invalid: image `HOST/app:1` cannot be read from `HOST`: no usable token: the token server does not give one: GET http://HOST/token: 404
      with a password: the same
    not JSON: token-invalid: image `HOST/app:1` cannot be read from `HOST`: no usable token: the answer is no token: GET http://HOST/token: 200
      with a password: the same
    without token: token-invalid: image `HOST/app:1` cannot be read from `HOST`: no usable token: the answer has none: GET http://HOST/token: 200
      with a password: the same
    empty: token-invalid: image `HOST/app:1` cannot be read from `HOST`: no usable token: the answer has none: GET http://HOST/token: 200
      with a password: the same
    no header: token-invalid: image `HOST/app:1` cannot be read from `HOST`: no usable token: no header can hold it: GET http://HOST/token: 200
      with a password: the same
    not good: credentials-required: image `HOST/app:1` cannot be read from `HOST`: the image does not exist, or is private and no credentials were found: GET http://HOST/v2/app/manifests/1: 401
      hint: check the name, or give credentials for `HOST`
      with a password: access-denied: image `HOST/app:1` cannot be read from `HOST`: the credentials from the caller do not give access to the image, or it does not exist: GET http://HOST/v2/app/manifests/1: 401
      hint: check the name, and what the credentials for `HOST` may read
    10 MB: answer-too-large: image `HOST/app:1` cannot be read from `HOST`: the answer has more than 65536 bytes: GET http://HOST/token: 200
      with a password: the same
    endless: answer-too-large: image `HOST/app:1` cannot be read from `HOST`: the answer has more than 65536 bytes: GET http://HOST/token: 200
      with a password: the same
    ");
    });
}

/// A registry whose first token expires before the config is read.
pub(crate) async fn expiring_token() -> Server {
    let images = usual();
    Server::plain_at(|address| {
        move |seen: &Seen| {
            let first = seen.authorization.as_deref() == Some("Bearer t-0");
            match first && seen.path.contains("/blobs/") {
                true => {
                    Reply::new(401).header("www-authenticate", "Bearer error=\"invalid_token\"")
                }
                false => with_token(&images, &address.to_string(), seen),
            }
        }
    })
    .await
}

#[test]
fn a_token_that_expires_is_renewed_once() {
    crate::run(async {
        let server = expiring_token().await;
        assert!(without(&server).await.outcome.is_ok());
        let paths: Vec<String> = server.seen().into_iter().map(|seen| seen.path).collect();
        let tokens = paths.iter().filter(|path| *path == "/token").count();
        assert_eq!((tokens, paths.len()), (2, 7));
    });
}

#[test]
fn an_identity_token_is_exchanged() {
    crate::run(async {
        let server = token_server(|seen| {
            let good = seen.method == "POST"
                && seen.body.contains("grant_type=refresh_token")
                && seen.body.contains("refresh_token=r%26t")
                && seen.query.is_empty();
            match good {
                true => Reply::ok(
                    "application/json",
                    r#"{"access_token":"t-1","expires_in":300}"#,
                ),
                false => Reply::new(400),
            }
        })
        .await;
        let identity = Credential::identity(Secret::new("r&t"));
        let found = resolved(settings(&[&server]), &server, identity).await;
        assert!(found.outcome.is_ok(), "{}", shown(&found));
        assert_eq!(server.authorizations(), ["Bearer t-1"; 3]);
    });
}

/// A registry that sends everybody to another host for tokens, which gives them to some.
pub(crate) async fn foreign(anonymous: bool) -> (Server, Server) {
    let tokens = Server::plain(
        move |seen| match anonymous || seen.authorization.is_some() {
            true => Reply::ok("application/json", r#"{"token":"t-1"}"#),
            false => Reply::new(401),
        },
    )
    .await;
    let realm = format!("localhost:{}", tokens.address.port());
    let images = usual();
    let registry = Server::plain(move |seen| with_token(&images, &realm, seen)).await;
    (registry, tokens)
}

fn with_realm(registry: &Server, tokens: &Server) -> Settings {
    let mut settings = settings(&[registry, tokens]);
    let localhost = format!("localhost:{}", tokens.address.port());
    settings.insecure.push(localhost.parse().unwrap());
    settings
}

#[test]
fn another_host_sees_no_password_unless_it_may() {
    crate::run(async {
        let (registry, tokens) = foreign(true).await;
        let found = resolved(
            with_realm(&registry, &tokens),
            &registry,
            password("secret"),
        )
        .await;
        assert!(found.outcome.is_ok(), "{}", shown(&found));
        assert_eq!(tokens.authorizations(), [""; 0]);

        let (registry, tokens) = foreign(false).await;
        let mut settings = with_realm(&registry, &tokens);
        let found = resolved(settings.clone(), &registry, password("secret")).await;
        assert_eq!(tokens.authorizations(), [""; 0]);
        let names = [("HOST", &registry), ("REALM", &tokens)];
        insta::assert_snapshot!(stable(&shown(&found), &names), @"
    realm-not-allowed: image `HOST/app:1` cannot be read from `HOST`: its token server `localhost:PORT` is another host, gets no credentials, and does not give access without them: GET http://localhost:PORT/token: 401
      hint: if that server may have them: `--allow-realm HOST=localhost:PORT`
    ");

        let allowed = format!("{}=localhost:{}", registry.host(), tokens.address.port());
        settings.allowed_realms.push(allowed.parse().unwrap());
        let found = resolved(settings, &registry, password("secret")).await;
        assert!(found.outcome.is_ok(), "{}", shown(&found));
        assert_eq!(tokens.authorizations(), ["Basic dXNlcjpzZWNyZXQ="]);
    });
}

#[test]
fn a_token_server_without_tls_is_not_for_a_registry_with_tls() {
    crate::run(async {
        let images = usual();
        let server = Server::tls(&["registry.test"], &[b"h2"], move |seen| {
            with_token(&images, "registry.test", seen)
        })
        .await;
        let mut settings = settings(&[&server]);
        let reference = crate::network::as_if_elsewhere(&mut settings, &server);
        let found = crate::resolved(settings.clone(), &reference).await;
        insta::assert_snapshot!(stable(&shown(&found), &[("HOST", &server)]), @"
    realm-not-https: image `registry.test:PORT/app:1` cannot be read from `registry.test:PORT`: its token server `registry.test` does not use https
      hint: for a registry without TLS: `--insecure-registry registry.test:PORT`
    ");
    });
}

/// A credential for each secret, and none for a registry.
struct Secrets;

impl CredentialSource for Secrets {
    async fn credential(&self, wanted: &Wanted) -> Result<Option<Credential>, CredentialError> {
        Ok(match wanted.secret.as_deref() {
            Some("arn:one") => Some(password("one")),
            Some("arn:two") => Some(password("two")),
            _ => None,
        })
    }
}

#[test]
fn containers_with_different_secrets_get_their_own() {
    crate::run(async {
        let images = usual();
        let server = Server::plain(move |seen| match &seen.authorization {
            Some(_) => images.reply(seen),
            None => Reply::new(401).header("www-authenticate", "Basic"),
        })
        .await;
        let session = Registries::new(settings(&[&server]), Secrets).session(LONG);
        let mut query = query(&format!("{}/app:1", server.host()), Platform::LinuxAmd64);
        let mut lines = Vec::new();
        let unknown = Credentials::Unknown("depends on the resource `Login`".to_owned());
        let secrets = ["arn:one", "arn:two", "arn:other"];
        let secrets = secrets.map(|secret| Credentials::Secret(secret.to_owned()));
        for secret in secrets.into_iter().chain([unknown]) {
            query.credentials = secret.clone();
            let found = resolve(&session, query.clone()).await;
            lines.push(format!(
                "{secret:?}: {}",
                stable(&shown(&found), &[("HOST", &server)])
            ));
        }
        let (one, two) = ("Basic dXNlcjpvbmU=", "Basic dXNlcjp0d28=");
        assert_eq!(server.authorizations(), [one, one, one, two, two, two]);
        insta::assert_snapshot!(lines.join("\n"), @r#"
    Secret("arn:one"): [] [server] user `` in `/srv` for linux/amd64
    Secret("arn:two"): [] [server] user `` in `/srv` for linux/amd64
    Secret("arn:other"): credentials-unavailable: image `HOST/app:1` cannot be read from `HOST`: the secret of the container's `repositoryCredentials` cannot be read here
      hint: run it where the secret can be read, or use a lock file
    Unknown("depends on the resource `Login`"): unknown-credentials: image `HOST/app:1` cannot be read from `HOST`: the `repositoryCredentials` of the container depends on the resource `Login`
      hint: state the secret as a literal, or use a lock file
    "#);
    });
}

/// A cached credential that is good only when it was asked for again.
#[derive(Default)]
struct Cached(AtomicUsize);

impl CredentialSource for Cached {
    async fn credential(&self, wanted: &Wanted) -> Result<Option<Credential>, CredentialError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let text = if wanted.renew { "secret" } else { "old" };
        Ok(Some(password(text).preemptive().renewable()))
    }
}

#[test]
fn a_credential_that_expired_is_renewed_once() {
    crate::run(async {
        let images = usual();
        // ECR says 403 for an old token.
        let server = Server::plain(move |seen| match with_password(&images, seen) {
            reply if seen.authorization.as_deref() == Some("Basic dXNlcjpzZWNyZXQ=") => reply,
            _ => Reply::new(403),
        })
        .await;
        let session = Registries::new(settings(&[&server]), Cached::default()).session(LONG);
        let reference = format!("{}/app:1", server.host());
        let found = resolve(&session, query(&reference, Platform::LinuxAmd64)).await;
        assert!(found.outcome.is_ok(), "{}", shown(&found));
        assert_eq!(server.seen().len(), 4);
    });
}
