//! Who we are to a registry: nobody, until it asks.

mod token;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use super::challenge::{self, Challenge, Realm};
use super::credentials::{Credential, CredentialError, CredentialSource, Login, Wanted};
use super::error::Cause;
use super::origin::Origin;
use super::place::Place;
use super::session::{Ask, Inner};
use super::trace::{Log, Shows};
use super::transport::Answer;
use token::{Token, TokenSlot};

/// What a session learnt about access, by place.
#[derive(Debug, Default)]
pub(super) struct Access {
    credentials: Mutex<BTreeMap<Owner, Arc<CredentialSlot>>>,
    schemes: Mutex<BTreeMap<Owner, Arc<SchemeSlot>>>,
    tokens: Mutex<BTreeMap<Place, Arc<TokenSlot>>>,
}

/// A registry, and the container's own secret.
type Owner = (String, Option<String>);
type Found = Result<Option<Credential>, Cause>;

#[derive(Debug, Default)]
struct CredentialSlot {
    first: OnceCell<Found>,
    renewed: OnceCell<Found>,
}

/// How a registry wants to be asked. The first request finds out, and the others wait for it:
/// otherwise each of them would be refused once.
#[derive(Debug, Default)]
struct SchemeSlot {
    probe: AsyncMutex<()>,
    scheme: Mutex<Option<Scheme>>,
}

#[derive(Clone, Debug)]
enum Scheme {
    /// It answered somebody without asking.
    Open,
    Basic,
    Bearer(Realm),
}

impl SchemeSlot {
    fn known(&self) -> Option<Scheme> {
        let scheme = self.scheme.lock().unwrap_or_else(PoisonError::into_inner);
        scheme.clone()
    }

    fn learn(&self, learnt: Scheme) {
        let mut scheme = self.scheme.lock().unwrap_or_else(PoisonError::into_inner);
        *scheme = Some(learnt);
    }

    /// The registry has answered, one way or another: nobody needs to wait any more.
    fn settle(&self) {
        let mut scheme = self.scheme.lock().unwrap_or_else(PoisonError::into_inner);
        scheme.get_or_insert(Scheme::Open);
    }
}

/// What a request showed of us.
#[derive(Clone, Debug)]
enum Sent {
    Nothing,
    Basic {
        header: HeaderValue,
        origin: Origin,
        renewed: bool,
    },
    Token {
        token: Token,
        fresh: bool,
    },
}

/// What was tried already for one request.
#[derive(Debug, Default)]
struct Tried {
    /// A preemptive password was answered with a wish for a token.
    token: bool,
    /// The token that was refused.
    refused: Option<u64>,
}

fn slot<K: Ord, V: Default>(slots: &Mutex<BTreeMap<K, Arc<V>>>, key: K) -> Arc<V> {
    let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(slots.entry(key).or_default())
}

fn owner(place: &Place) -> Owner {
    (place.registry.clone(), place.secret.clone())
}

impl<C: CredentialSource> Inner<C> {
    /// Asks a registry, showing as much of us as it wants to see.
    pub(super) async fn ask(
        &self,
        place: &Place,
        ask: &Ask<'_>,
        log: &Log,
    ) -> Result<Answer, Cause> {
        let scheme = slot(&self.access.schemes, owner(place));
        let mut probe = None;
        if scheme.known().is_none() {
            probe = Some(scheme.probe.lock().await);
        }
        if scheme.known().is_some() {
            probe = None;
        }
        let mut tried = Tried::default();
        let result = loop {
            let sent = match self.show(place, &scheme, &tried, log).await {
                Ok(sent) => sent,
                Err(cause) => break Err(cause),
            };
            let shown = match &sent {
                Sent::Nothing => (None, Shows::Nothing),
                Sent::Basic { header, origin, .. } => {
                    (Some(header.clone()), Shows::Basic(origin.clone()))
                }
                Sent::Token { token, .. } => (Some(token.header.clone()), Shows::Token),
            };
            let answer = match self.send(place, ask, shown, log).await {
                Ok(answer) => answer,
                Err(cause) => break Err(cause),
            };
            match self.again(place, &scheme, &answer, &sent, &mut tried).await {
                Ok(true) => probe = None,
                Ok(false) => break Ok(answer),
                Err(cause) => break Err(cause),
            }
        };
        scheme.settle();
        drop(probe);
        result
    }

    /// What the next request shows.
    async fn show(
        &self,
        place: &Place,
        scheme: &SchemeSlot,
        tried: &Tried,
        log: &Log,
    ) -> Result<Sent, Cause> {
        let password = match scheme.known() {
            Some(Scheme::Open) => false,
            Some(Scheme::Basic) => true,
            None => {
                let credential = self.credential(place).await?;
                credential.is_some_and(|(credential, _)| credential.preemptive)
            }
            Some(Scheme::Bearer(realm)) => {
                let (token, fresh) = self.token(place, &realm, tried.refused, log).await?;
                return Ok(Sent::Token { token, fresh });
            }
        };
        if password
            && let Some((credential, renewed)) = self.credential(place).await?
            && let Some(header) = basic(&credential)
        {
            return Ok(Sent::Basic {
                header,
                origin: credential.origin,
                renewed,
            });
        }
        Ok(Sent::Nothing)
    }

    /// Whether a request that was answered so is to be sent again, with more to show.
    async fn again(
        &self,
        place: &Place,
        scheme: &SchemeSlot,
        answer: &Answer,
        sent: &Sent,
        tried: &mut Tried,
    ) -> Result<bool, Cause> {
        let status = answer.status.as_u16();
        let request = answer.shown();
        if let Some(host) = answer.foreign.clone() {
            return match status {
                401 => Err(Cause::ForeignChallenge { host, request }),
                _ => Ok(false),
            };
        }
        match (sent, status) {
            (Sent::Nothing, 401) => {
                scheme.learn(self.asked_for(place, answer).await?);
                Ok(true)
            }
            // Some registries hide what is private instead of asking.
            (Sent::Nothing, 403 | 404) if self.has_password(place).await? => {
                scheme.learn(Scheme::Basic);
                Ok(true)
            }
            (Sent::Nothing, 403) => Err(Cause::CredentialsRequired { request }),
            (
                Sent::Basic {
                    renewed, origin, ..
                },
                401 | 403,
            ) => {
                if let Ok(Challenge::Bearer(realm)) = challenge::of(&answer.headers)
                    && status == 401
                    && !tried.token
                {
                    tried.token = true;
                    scheme.learn(Scheme::Bearer(realm));
                    return Ok(true);
                }
                if !renewed && self.renew(place).await? {
                    return Ok(true);
                }
                let origin = origin.clone();
                Err(match status {
                    401 => Cause::CredentialsRefused { origin, request },
                    _ => Cause::AccessDenied { origin, request },
                })
            }
            (Sent::Token { token, fresh }, 401) if !fresh && tried.refused.is_none() => {
                tried.refused = Some(token.generation);
                Ok(true)
            }
            (Sent::Token { token, .. }, 401 | 403) => Err(token.denied(request)),
            (Sent::Basic { .. }, _) => {
                scheme.learn(Scheme::Basic);
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// How a registry wants to be asked that refused somebody unknown.
    async fn asked_for(&self, place: &Place, answer: &Answer) -> Result<Scheme, Cause> {
        let request = answer.shown();
        match challenge::of(&answer.headers) {
            Ok(Challenge::Bearer(realm)) => Ok(Scheme::Bearer(realm)),
            _ if self.has_password(place).await? => Ok(Scheme::Basic),
            Ok(Challenge::Basic) => Err(Cause::CredentialsRequired { request }),
            Err(reason) => {
                let reason = format!("{reason}: {request}");
                Err(Cause::Challenge { reason })
            }
        }
    }

    async fn has_password(&self, place: &Place) -> Result<bool, Cause> {
        let credential = self.credential(place).await?;
        let login = credential.map(|(credential, _)| credential.login);
        Ok(matches!(login, Some(Login::Password { .. })))
    }

    /// The credential for a place, and whether it was asked for again.
    async fn credential(&self, place: &Place) -> Result<Option<(Credential, bool)>, Cause> {
        let slot = slot(&self.access.credentials, owner(place));
        let (found, renewed) = match slot.renewed.get() {
            Some(found) => (found, true),
            None => {
                let find = || self.find_credential(place, false);
                (slot.first.get_or_init(find).await, false)
            }
        };
        let found = found.clone()?;
        Ok(found.map(|credential| (credential, renewed)))
    }

    /// Asks for a credential again, if that can help.
    async fn renew(&self, place: &Place) -> Result<bool, Cause> {
        let renewable = self.credential(place).await?;
        if !renewable.is_some_and(|(credential, _)| credential.renewable) {
            return Ok(false);
        }
        let slot = slot(&self.access.credentials, owner(place));
        let find = || self.find_credential(place, true);
        let found = slot.renewed.get_or_init(find).await.clone()?;
        Ok(found.is_some())
    }

    async fn find_credential(&self, place: &Place, renew: bool) -> Found {
        let wanted = Wanted {
            registry: place.registry.clone(),
            secret: place.secret.clone(),
            renew,
        };
        let found = self.source.credential(&wanted).await;
        match found.map_err(Cause::Credentials)? {
            None if wanted.secret.is_some() => Err(Cause::Credentials(unreadable_secret())),
            found => Ok(found),
        }
    }
}

fn unreadable_secret() -> CredentialError {
    CredentialError {
        code: "credentials-unavailable",
        message: "the secret of the container's `repositoryCredentials` cannot be read here"
            .to_owned(),
        hint: Some("run it where the secret can be read, or use a lock file".to_owned()),
    }
}

/// [`Authorization: Basic`](https://www.rfc-editor.org/rfc/rfc7617).
fn basic(credential: &Credential) -> Option<HeaderValue> {
    let Login::Password { username, password } = &credential.login else {
        return None;
    };
    let login = STANDARD.encode(format!("{username}:{}", password.expose()));
    sensitive(&format!("Basic {login}"))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}
