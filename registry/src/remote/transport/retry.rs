//! Trying again, within the time that is left.

use std::time::{Duration, SystemTime};

use reqwest::header::{self, HeaderMap};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::Instant;

use super::super::error::Cause;
use super::super::trace::Log;
use super::{Answer, Call, Line};

impl Line {
    /// Makes a request until it is answered, for as often as the settings say.
    pub(super) async fn with_retries(&self, call: &Call, log: &Log) -> Result<Answer, Cause> {
        let settings = &self.transport.settings;
        let host = self.hosts.host(&call.url);
        let mut entry = host.enter().await?;
        let mut attempt = 1;
        loop {
            let (cause, retry_after) = match self.attempt(call, &mut entry, log).await {
                Ok(answer) => match failure(&answer) {
                    None => return Ok(answer),
                    Some(cause) => (cause, retry_after(&answer.headers)),
                },
                Err(cause) => (cause, None),
            };
            let pause = retry_after.unwrap_or_else(|| jittered(settings.backoff, attempt));
            let in_time = Instant::now()
                .checked_add(pause)
                .is_some_and(|next| next < self.deadline);
            if attempt >= settings.attempts || !cause.may_pass() || !in_time {
                let cause = cause.after(attempt);
                host.gives_up(&cause);
                return Err(cause);
            }
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }
}

/// What is wrong with an answer that may be another one in a while.
fn failure(answer: &Answer) -> Option<Cause> {
    let request = answer.shown();
    match answer.status.as_u16() {
        429 => Some(Cause::RateLimited {
            request,
            retry_after: retry_after(&answer.headers).map(|wait| wait.as_secs()),
        }),
        500 | 502..=599 => Some(Cause::ServerError {
            request,
            attempts: 1,
        }),
        _ => None,
    }
}

/// [Retry-After](https://www.rfc-editor.org/rfc/rfc9110#name-retry-after): seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds = || text.trim().parse().ok().map(Duration::from_secs);
    let until_date = || {
        let date = httpdate::parse_http_date(text).ok()?;
        Some(date.duration_since(SystemTime::now()).unwrap_or_default())
    };
    seconds().or_else(until_date)
}

/// Between half and all of the pause, which doubles with each attempt: those who failed
/// together do not come back together.
fn jittered(backoff: Duration, attempt: u32) -> Duration {
    let pause = backoff.saturating_mul(1 << attempt.saturating_sub(1).min(6));
    let mut random = [0_u8; 1];
    // Without randomness the pause is as good, only less scattered.
    let _ = SystemRandom::new().fill(&mut random);
    let [random] = random;
    pause / 2 + (pause / 2).mul_f64(f64::from(random) / 256.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers)
    }

    #[test]
    fn retry_after_is_a_number_or_a_date() {
        assert_eq!(waits("7"), Some(Duration::from_secs(7)));
        assert_eq!(waits("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
        let far = waits("Fri, 31 Dec 9999 23:59:59 GMT").unwrap();
        assert!(far > Duration::from_secs(1_000_000));
        assert_eq!(waits("soon"), None);
        assert_eq!(waits("-1"), None);
    }

    #[test]
    fn the_pause_grows_and_stays_within_bounds() {
        let backoff = Duration::from_millis(100);
        for attempt in 1..40 {
            let most = backoff * (1 << (attempt - 1).min(6));
            let pause = jittered(backoff, attempt);
            assert!(pause >= most / 2 && pause <= most, "{attempt}: {pause:?}");
        }
    }
}
