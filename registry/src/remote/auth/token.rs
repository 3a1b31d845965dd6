//! [Tokens](https://distribution.github.io/distribution/spec/auth/token/) of a registry's
//! token server.

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode, Url};
use serde::de::MapAccess;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

use super::super::challenge::Realm;
use super::super::credentials::{Credential, CredentialSource, Login};
use super::super::error::Cause;
use super::super::guard::host_of;
use super::super::json::{self, Member, Members, set};
use super::super::origin::Origin;
use super::super::place::Place;
use super::super::secret::Secret;
use super::super::session::Inner;
use super::super::trace::{Log, Shows};
use super::super::transport::{Answer, Call};
use super::{basic, sensitive, slot};

/// How long a token is good when its server does not say.
const LIFETIME: u64 = 60;
/// The longest that a server is believed.
const LIFETIME_MAX: u64 = 24 * 60 * 60;
/// A token this close to its end is not used: a request takes a while.
const MARGIN: Duration = Duration::from_secs(5);

/// A token for one repository.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    /// Which of the session's tokens for the repository it is.
    pub(super) generation: u64,
    expires: Instant,
    login: Shown,
}

/// What the token's server saw of us.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    /// There is nothing to show.
    Nothing,
    /// It is not a host that may see it.
    Withheld {
        realm: String,
    },
    Credential(Origin),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// Why a fresh token does not open a repository.
    pub(super) fn denied(&self, request: String) -> Cause {
        self.login
            .denied(request, |origin, request| Cause::AccessDenied {
                origin,
                request,
            })
    }
}

impl Shown {
    fn denied(
        &self,
        request: String,
        with_credential: impl FnOnce(Origin, String) -> Cause,
    ) -> Cause {
        match self {
            Self::Nothing => Cause::CredentialsRequired { request },
            Self::Withheld { realm } => Cause::RealmNotAllowed {
                realm: realm.clone(),
                request,
            },
            Self::Credential(origin) => with_credential(origin.clone(), request),
        }
    }
}

/// The token of a repository, or why there is none. Whoever needs it waits for whoever fetches
/// it.
#[derive(Debug, Default)]
pub(super) struct TokenSlot(AsyncMutex<Option<Result<Token, Cause>>>);

#[derive(Debug, Default)]
struct Document {
    token: Member<String>,
    access_token: Member<String>,
    expires_in: Member<u64>,
}

impl Members for Document {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        access: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "token" => set(&mut self.token, access),
            "access_token" => set(&mut self.access_token, access),
            "expires_in" => set(&mut self.expires_in, access),
            _ => Ok(false),
        }
    }
}

impl<C: CredentialSource> Inner<C> {
    /// A token for a place, other than the one that was refused, and whether it is new.
    pub(super) async fn token(
        &self,
        place: &Place,
        realm: &Realm,
        refused: Option<u64>,
        log: &Log,
    ) -> Result<(Token, bool), Cause> {
        let slot = slot(&self.access.tokens, place.clone());
        let mut state = slot.0.lock().await;
        let generation = match &*state {
            Some(Err(cause)) => return Err(cause.clone()),
            Some(Ok(token)) => {
                let good = Instant::now() + MARGIN < token.expires;
                if good && Some(token.generation) != refused {
                    return Ok((token.clone(), false));
                }
                token.generation + 1
            }
            None => 0,
        };
        let fetched = self.fetch_token(place, realm, generation, log).await;
        *state = Some(fetched.clone());
        fetched.map(|token| (token, true))
    }

    async fn fetch_token(
        &self,
        place: &Place,
        realm: &Realm,
        generation: u64,
        log: &Log,
    ) -> Result<Token, Cause> {
        if realm.url.scheme() != "https" && !place.insecure {
            let realm = host_of(&realm.url);
            return Err(Cause::RealmNotHttps { realm });
        }
        let trusted = place.trusts(&realm.url, &self.line.transport.settings);
        loop {
            let credential = self.credential(place).await?;
            let (credential, login) = match credential {
                None => (None, Shown::Nothing),
                Some((credential, _)) if trusted => {
                    let origin = credential.origin.clone();
                    (Some(credential), Shown::Credential(origin))
                }
                Some(_) => {
                    let realm = host_of(&realm.url);
                    (None, Shown::Withheld { realm })
                }
            };
            let call = self.token_call(place, realm, credential.as_ref());
            let answer = self.line.fetch(call, log).await?;
            let refused = matches!(answer.status.as_u16(), 400 | 401 | 403);
            let may_renew = refused && matches!(login, Shown::Credential(_));
            if may_renew && !self.is_renewed(place).await? && self.renew(place).await? {
                continue;
            }
            if refused {
                let denied = |origin, request| Cause::CredentialsRefused { origin, request };
                return Err(login.denied(answer.shown(), denied));
            }
            return read(&answer, generation, login);
        }
    }

    async fn is_renewed(&self, place: &Place) -> Result<bool, Cause> {
        let credential = self.credential(place).await?;
        Ok(credential.is_some_and(|(_, renewed)| renewed))
    }

    fn token_call(&self, place: &Place, realm: &Realm, credential: Option<&Credential>) -> Call {
        let scope = format!("repository:{}:pull", place.repository);
        let mut parameters = vec![("scope", scope.as_str())];
        if let Some(service) = &realm.service {
            parameters.push(("service", service));
        }
        let mut call = Call {
            method: Method::GET,
            url: realm.url.clone(),
            accept: "application/json",
            authorization: credential.and_then(basic),
            shows: credential.map_or(Shows::Nothing, |credential| {
                Shows::Login(credential.origin.clone())
            }),
            form: None,
            limit: self.line.transport.settings.limits.token,
            expected: None,
        };
        if let Some(Login::Identity { token }) = credential.map(|credential| &credential.login) {
            parameters.push(("grant_type", "refresh_token"));
            parameters.push(("client_id", "outrigger"));
            parameters.push(("refresh_token", token.expose()));
            call.method = Method::POST;
            call.form = form(&parameters);
        } else {
            call.url.query_pairs_mut().extend_pairs(parameters);
        }
        call
    }
}

/// Parameters as the body of a form: what a URL has behind its question mark.
fn form(parameters: &[(&str, &str)]) -> Option<String> {
    let mut url: Url = "https://form.invalid/".parse().ok()?;
    url.query_pairs_mut().extend_pairs(parameters);
    url.query().map(str::to_owned)
}

/// Reads the answer of a token server.
fn read(answer: &Answer, generation: u64, login: Shown) -> Result<Token, Cause> {
    let invalid = |reason| Cause::Token {
        request: answer.shown(),
        reason,
    };
    if answer.status != StatusCode::OK {
        return Err(invalid("the token server does not give one"));
    }
    let document: Document =
        json::read(&answer.body).map_err(|_| invalid("the answer is no token"))?;
    let token = document.token.value.filter(|token| !token.is_empty());
    let token = token.or(document.access_token.value).map(Secret::new);
    let token = token.ok_or_else(|| invalid("the answer has none"))?;
    let header = sensitive(&format!("Bearer {}", token.expose()))
        .filter(|_| !token.expose().is_empty())
        .ok_or_else(|| invalid("no header can hold it"))?;
    // Servers that follow the first version of the specification mean a minute at least.
    let lifetime = document.expires_in.value.unwrap_or(LIFETIME);
    let lifetime = Duration::from_secs(lifetime.clamp(LIFETIME, LIFETIME_MAX));
    Ok(Token {
        header,
        generation,
        expires: Instant::now() + lifetime,
        login,
    })
}
