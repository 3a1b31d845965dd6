//! Killed in the middle, and begun again: nothing is done twice, and nothing is lost.

use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use outrigger_tests::servers::{Call, Verdict};
use serde_json::json;

use crate::account::{Aws, SECRET, outcomes, plain};

const KILLS: u64 = 50;
/// So many calls an apply of these fleets makes at most.
const CALLS: u64 = 30;

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

/// Begins an apply and kills it at its n-th call, before or after AWS has done it.
fn killed(aws: &Aws, args: &[&str], at: u64, done: bool) -> bool {
    let child: Arc<Mutex<Option<Child>>> = Arc::default();
    let seen = Mutex::new(0);
    let victim = Arc::clone(&child);
    aws.disturbed(move |call: &Call| {
        let mut seen = seen.lock().unwrap();
        *seen += 1;
        if *seen < at + 1 {
            return None;
        }
        if let Some(child) = victim.lock().unwrap().as_mut() {
            child.kill().unwrap();
        }
        // What comes after the kill was sent before it, and AWS has heard it or not.
        let heard = done && *seen == at + 1;
        match (heard, call.action.as_str()) {
            (true, _) => None,
            (false, _) => Some(Verdict::Answer(500, json!({}))),
        }
    });
    {
        let mut child = child.lock().unwrap();
        *child = Some(aws.command(args).stderr(Stdio::null()).spawn().unwrap());
    }
    let status = loop {
        let ended = child.lock().unwrap().as_mut().unwrap().try_wait().unwrap();
        match ended {
            Some(status) => break status,
            None => std::thread::yield_now(),
        }
    };
    aws.proxy.settle();
    aws.undisturbed();
    status.code().is_none()
}

#[test]
fn killed_anywhere_and_begun_again() {
    let Some(aws) = Aws::start() else { return };
    let mut numbers = Numbers(7);
    let mut kills = 0;
    let mut round = 0;
    while kills < KILLS {
        let (cluster, failing) = fleet(&aws, round);
        let plan = format!("{round}.json");
        let name = format!("k{round}");
        let args = [
            &["plan", "--cluster", &name, "-o", &plan][..],
            crate::account::LACEWORK,
        ];
        assert_eq!(aws.fleet(&args.concat()).exit, Some(0));
        aws.proxy.take_calls();
        let report = format!("{round}.report.json");
        let args = [
            &[
                "apply",
                &plan,
                "--poll",
                "0",
                "--max-failures",
                "9",
                "--report-file",
                &report,
            ][..],
            SECRET,
        ];
        let args = args.concat();
        // Up to three times in one apply.
        for _ in 0..=numbers.below(3) {
            let (at, done) = (numbers.below(CALLS), numbers.below(2) == 0);
            kills += u64::from(killed(&aws, &args, at, done));
        }
        let ran = aws.fleet(&args);
        assert_eq!(
            ran.exit,
            Some(i32::from(failing)),
            "{round}: {}",
            ran.stderr
        );
        let done = outcomes(&aws.json(&report));
        for place in 0..3 {
            let (service, family) = (format!("k{round}s{place}"), format!("k{round}f{place}"));
            let failed = failing && place == 1;
            let (outcome, revision) = match failed {
                true => ("rolled-back", 1),
                false => ("updated", 2),
            };
            assert_eq!(done[&service], outcome, "{round}: {}", ran.stderr);
            assert_eq!(aws.runs(&cluster, &service), format!("{family}:{revision}"));
            assert_eq!(aws.revisions(&family), 2, "{round}: {family}");
        }
        once(&aws, round, failing);
        round += 1;
    }
    println!("killed {kills} times in {round} applies");
}

/// A cluster of three services; in every third one a service fails.
fn fleet(aws: &Aws, round: u64) -> (String, bool) {
    let cluster = aws.cluster(&format!("k{round}"));
    for place in 0..3 {
        let arn = aws.register(&plain(&format!("k{round}f{place}")));
        aws.service(&cluster, &format!("k{round}s{place}"), &arn);
    }
    let failing = round % 3 == 2;
    if failing {
        aws.fails(&format!("k{round}s1"));
    }
    (cluster, failing)
}

/// Every service was told once what to run, and the one that failed once more.
fn once(aws: &Aws, round: u64, failing: bool) {
    let history = aws.proxy.take_calls();
    let history: Vec<&Call> = history.iter().filter(|call| call.passed).collect();
    for place in 0..3 {
        let service = format!("k{round}s{place}");
        let updates = history.iter().filter(|call| {
            call.action == "ecs:UpdateService" && call.text("service").ends_with(&service)
        });
        let expected = 1 + usize::from(failing && place == 1);
        assert_eq!(updates.count(), expected, "{round}: {service}");
    }
}
