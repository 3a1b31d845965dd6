//! How fast a service may be called: as fast as it answers, until it says that this is too fast.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Between two calls, once a service has throttled.
const FIRST_INTERVAL: Duration = Duration::from_millis(25);
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);
/// An interval shorter than this is none.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(2);
/// Calls that were under way together are throttled together, and that counts once.
const REST: Duration = Duration::from_millis(250);
/// How much of the interval is left after a call that went well.
const EASING: f64 = 0.8;

/// The pace of one service in one region of one account: quotas are counted there.
///
/// Throttling doubles the interval between calls; every call that goes well shortens it a little.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    interval: Duration,
    next: Option<Instant>,
    slowed: Option<Instant>,
}

impl Pace {
    /// Waits for this call's turn.
    pub(super) async fn wait(&self) {
        let turn = self.turn(Instant::now());
        if let Some(turn) = turn {
            tokio::time::sleep_until(turn).await;
        }
    }

    fn turn(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state();
        if state.interval.is_zero() {
            return None;
        }
        let turn = state.next.map_or(now, |next| next.max(now));
        state.next = Some(turn + state.interval);
        Some(turn)
    }

    pub(super) fn throttled(&self, now: Instant) {
        let mut state = self.state();
        if state.slowed.is_some_and(|slowed| now < slowed + REST) {
            return;
        }
        let doubled = state.interval.saturating_mul(2);
        state.interval = doubled.clamp(FIRST_INTERVAL, LONGEST_INTERVAL);
        state.slowed = Some(now);
    }

    pub(super) fn went_well(&self) {
        let mut state = self.state();
        let eased = state.interval.mul_f64(EASING);
        state.interval = match eased < SHORTEST_INTERVAL {
            true => Duration::ZERO,
            false => eased,
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number from 0 to 1 that nobody can foretell, and that need not be better than that.
pub(super) fn jitter() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_slows_and_success_eases() {
        let pace = Pace::default();
        let now = Instant::now();
        assert_eq!(pace.turn(now), None);
        pace.throttled(now);
        // What was under way at the same time counts once.
        pace.throttled(now);
        assert_eq!(pace.state().interval, FIRST_INTERVAL);
        let turns = [(); 3].map(|()| pace.turn(now).map(|turn| turn - now));
        let interval = FIRST_INTERVAL;
        assert_eq!(
            turns,
            [Some(Duration::ZERO), Some(interval), Some(interval * 2)]
        );
        pace.throttled(now + REST);
        assert_eq!(pace.state().interval, FIRST_INTERVAL * 2);
        for _ in 0..100 {
            pace.went_well();
        }
        assert_eq!(pace.turn(now), None);
    }

    #[test]
    fn jitter_is_a_part_of_one() {
        let all: Vec<f64> = (0..100).map(|_| jitter()).collect();
        assert!(all.iter().all(|part| (0.0..=1.0).contains(part)));
        assert!(all.iter().any(|part| (part - all[0]).abs() > 0.01));
    }
}
