//! Many accounts and regions, and many services.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger_tests::servers::{Call, Verdict, paged};
use serde_json::{Value, json};

use crate::account::{Aws, LACEWORK, OWN, REGION, outcomes, plain};

const REGIONS: [&str; 3] = ["eu-central-1", "us-east-1", "ap-southeast-2"];

/// An organization with so many accounts besides the one that manages it.
fn organization(aws: &Aws, accounts: usize) -> Vec<String> {
    let call = |action: &str, input: &Value| {
        let target = format!("AWSOrganizationsV20161128.{action}");
        let place = ("key", "us-east-1");
        aws.moto
            .json(place, ("organizations", &target), input)
            .unwrap()
    };
    call("CreateOrganization", &json!({"FeatureSet": "ALL"}));
    let created = (0..accounts).map(|place| {
        let input =
            json!({"AccountName": format!("a{place}"), "Email": format!("a{place}@example.com")});
        let created = call("CreateAccount", &input);
        created["CreateAccountStatus"]["AccountId"]
            .as_str()
            .unwrap()
            .to_owned()
    });
    created.collect()
}

/// So many services, each with a family of its own, in a new cluster.
fn services(aws: &Aws, (account, region): (&str, &str), count: usize) {
    let key = aws.moto.key_of(account).unwrap();
    let ecs = |action: &str, input: &Value| aws.ecs_as(&key, region, action, input);
    ecs("CreateCluster", &json!({"clusterName": "prod"}));
    for place in 0..count {
        let name = format!("s{place}");
        let registered = ecs("RegisterTaskDefinition", &plain(&name));
        ecs(
            "CreateService",
            &json!({
                "cluster": "prod", "serviceName": name, "desiredCount": 1, "launchType": "FARGATE",
                "taskDefinition": registered["taskDefinition"]["taskDefinitionArn"],
            }),
        );
    }
}

fn runs(aws: &Aws, (account, region): (&str, &str), service: &str) -> String {
    let key = aws.moto.key_of(account).unwrap();
    let input = json!({"cluster": "prod", "services": [service]});
    let described = aws.ecs_as(&key, region, "DescribeServices", &input);
    let runs = described["services"][0]["taskDefinition"].as_str().unwrap();
    runs.rsplit('/').next().unwrap().to_owned()
}

/// One account is suspended, and another one lets nobody in; lists come in pages of two.
fn hindered(aws: &Aws, (suspended, denied): (&str, &str)) {
    let (gone, refuses) = (suspended.to_owned(), denied.to_owned());
    aws.disturbed(move |call| {
        let (gone, token) = (gone.clone(), call.text("NextToken").to_owned());
        match call.action.as_str() {
            "organizations:ListAccounts" => {
                let page = move |mut answer: Value| {
                    for account in answer["Accounts"].as_array_mut().unwrap() {
                        if account["Id"] == gone.as_str() {
                            account["Status"] = json!("SUSPENDED");
                            account["State"] = json!("SUSPENDED");
                        }
                    }
                    paged(answer, ("Accounts", "NextToken"), &token, 2)
                };
                Some(Verdict::Instead(json!({}), Box::new(page)))
            }
            "sts:AssumeRole" => {
                assert!(call.body.contains("&ExternalId=canary-external"));
                let tag = "&Tags.member.1.Key=purpose&Tags.member.1.Value=fleet";
                assert!(call.body.contains(tag));
                let error = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
                let refused = call.body.contains(&refuses);
                refused.then(|| Verdict::Answer(403, json!(error)))
            }
            _ => None,
        }
    });
}

/// Accounts and regions of a plan, in order.
fn planned(plan: &Value) -> Vec<(&str, &str)> {
    let shards = plan["shards"].as_array().unwrap().iter();
    let mut planned: Vec<(&str, &str)> = shards
        .map(|shard| &shard["shard"])
        .map(|shard| {
            (
                shard["account"].as_str().unwrap(),
                shard["region"].as_str().unwrap(),
            )
        })
        .collect();
    planned.sort_unstable();
    planned
}

#[test]
fn every_account_of_an_organization_but_those_that_cannot_be_entered() {
    let Some(aws) = Aws::start() else { return };
    let accounts = organization(&aws, 5);
    let [good, also, suspended, denied, third] = &accounts[..] else {
        panic!("{accounts:?}")
    };
    for account in &accounts {
        services(&aws, (account, REGIONS[0]), 1);
    }
    services(&aws, (also, REGIONS[1]), 1);
    hindered(&aws, (suspended, denied));
    let regions = REGIONS[..2].join(",");
    let entering = [
        "--role-name",
        "OutriggerFleet",
        "--session-tag",
        "purpose=fleet",
    ];
    let organization = ["--organization", "--region", &regions];
    let (ran, plan) = aws.plan(&[&organization[..], &entering].concat());
    ran.ended(1)
        .said(&format!("account `{denied}` cannot be entered"))
        .said(&format!(
            "account `{suspended}` is skipped: it is `SUSPENDED`"
        ));
    let mut expected = [good, also, third]
        .map(|account| (account.as_str(), REGIONS[0]))
        .to_vec();
    expected.push((also, REGIONS[1]));
    expected.sort_unstable();
    assert_eq!(planned(&plan), expected);

    aws.apply(&[&["--report-file", "done.json"][..], &entering].concat())
        .ended(0);
    let after = [(good, 0), (also, 1), (denied, 0), (suspended, 0)]
        .map(|(account, region)| runs(&aws, (account, REGIONS[region]), "s0"));
    assert_eq!(after, ["s0:2", "s0:2", "s0:1", "s0:1"]);

    // Without the role nothing is entered, and one's own account is not mistaken for another.
    aws.apply(&["--journal", "other.journal"])
        .ended(1)
        .said(&format!("the credentials are those of `{OWN}`"));
}

#[test]
fn organizational_units_and_what_is_below_them() {
    let Some(aws) = Aws::start() else { return };
    let accounts = organization(&aws, 3);
    let call = |action: &str, input: &Value| {
        let target = format!("AWSOrganizationsV20161128.{action}");
        let place = ("key", "us-east-1");
        aws.moto
            .json(place, ("organizations", &target), input)
            .unwrap()
    };
    let roots = call("ListRoots", &json!({}));
    let root = roots["Roots"][0]["Id"].as_str().unwrap().to_owned();
    let unit = |parent: &str, name: &str| {
        let made = call(
            "CreateOrganizationalUnit",
            &json!({"ParentId": parent, "Name": name}),
        );
        made["OrganizationalUnit"]["Id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let upper = unit(&root, "upper");
    let lower = unit(&upper, "lower");
    for (account, unit) in accounts.iter().zip([&upper, &lower]) {
        let input =
            json!({"AccountId": account, "SourceParentId": root, "DestinationParentId": unit});
        call("MoveAccount", &input);
    }
    for account in &accounts {
        services(&aws, (account, REGION), 1);
    }
    let args = [
        "--organization",
        "--organizational-unit",
        &upper,
        "--role-name",
        "OutriggerFleet",
    ];
    let (ran, plan) = aws.plan(&args);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    let planned = plan["shards"].as_array().unwrap().iter();
    let mut planned: Vec<&str> = planned
        .map(|shard| shard["shard"]["account"].as_str().unwrap())
        .collect();
    planned.sort_unstable();
    let mut expected = vec![accounts[0].as_str(), &accounts[1]];
    expected.sort_unstable();
    assert_eq!(planned, expected);
}

#[test]
fn two_hundred_and_fifty_services_on_one_cluster() {
    let Some(aws) = Aws::start() else { return };
    services(&aws, (OWN, REGION), 250);
    aws.proxy.take_calls();
    let (ran, plan) = aws.plan(&[]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(plan["shards"][0]["targets"].as_array().unwrap().len(), 250);
    let calls = aws.proxy.take_calls();
    let count = |action: &str| calls.iter().filter(|call| call.action == action).count();
    assert_eq!(count("ecs:ListServices"), 3);
    assert_eq!(count("ecs:DescribeServices"), 25);
    assert_eq!(count("ecs:DescribeTaskDefinition"), 250);
    let ran = aws.apply(&[
        "--report-file",
        "done.json",
        "--wave",
        "50",
        "--in-motion",
        "50",
    ]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    let done = outcomes(&aws.json("done.json"));
    assert_eq!(
        done.values()
            .filter(|outcome| *outcome == "updated")
            .count(),
        250
    );
    let (ran, plan) = aws.plan(&["--detailed-exitcode"]);
    assert_eq!(
        (ran.exit, &plan["shards"]),
        (Some(0), &json!([])),
        "{}",
        ran.stderr
    );
}

/// How large the organization is that is measured: `OUTRIGGER_FLEET=full` has a thousand services.
fn size() -> (usize, usize) {
    match std::env::var("OUTRIGGER_FLEET").as_deref() {
        Ok("full") => (20, 17),
        _ => (3, 4),
    }
}

/// Accounts of an organization, each with services in every region, that answers slowly.
struct Large {
    aws: Aws,
    accounts: Vec<String>,
    each: usize,
    delay: Duration,
}

impl Large {
    fn start() -> Option<Large> {
        let aws = Aws::start()?;
        let (accounts, each) = size();
        let accounts = organization(&aws, accounts);
        for account in &accounts {
            for region in REGIONS {
                services(&aws, (account, region), each);
            }
        }
        let delay = Duration::from_millis(50);
        aws.proxy.delay(delay);
        aws.proxy.take_calls();
        Some(Large {
            aws,
            accounts,
            each,
            delay,
        })
    }

    fn shards(&self) -> usize {
        self.accounts.len() * REGIONS.len()
    }

    /// Plans, and gives what it took: megabytes, milliseconds, calls.
    fn plan(&self) -> (u64, u64, Vec<Call>) {
        let (accounts, regions) = (self.accounts.join(","), REGIONS.join(","));
        let args = [
            &[
                "plan",
                "-o",
                "plan.json",
                "--account",
                &accounts,
                "--region",
                &regions,
            ][..],
            &["--role-name", "OutriggerFleet", "--shards", "60"],
            LACEWORK,
        ];
        let (memory, time) = self.aws.measured(&args.concat());
        let plan = self.aws.json("plan.json");
        assert_eq!(plan["shards"].as_array().unwrap().len(), self.shards());
        (memory, time, self.aws.proxy.take_calls())
    }
}

#[test]
fn an_organization_that_answers_slowly() {
    let Some(large) = Large::start() else { return };
    large.aws.proxy.remember();
    let (_, with_moto, first) = large.plan();
    // What was answered is answered by the proxy alone: moto itself is slower than the delay.
    let (memory, time, calls) = large.plan();
    let described: BTreeSet<&str> = calls
        .iter()
        .filter(|call| call.action == "ecs:DescribeTaskDefinition")
        .map(|call| call.body.as_str())
        .collect();
    let total = large.shards() * large.each;
    assert_eq!(described.len(), total);
    // Clusters twice, services, the list of them, buses, rules, schedules; who one is, and who one becomes.
    let fewest = total + large.shards() * (6 + large.each.div_ceil(10)) + large.accounts.len() + 1;
    assert_eq!(calls.len(), fewest);
    // One after the other: who one is, who one becomes, seven for what runs, and the definitions, eight at once.
    let rounds = 9 + large.each.div_ceil(8);
    let bound = large.delay.as_millis() * u128::try_from(rounds).unwrap();
    println!(
        "{total} services, {} accounts, {} regions, {} ms delay: {time} ms, {memory} MB, {} calls ({fewest} are the fewest), \
         {bound} ms is the lower bound; with moto {with_moto} ms, {} calls",
        large.accounts.len(),
        REGIONS.len(),
        large.delay.as_millis(),
        calls.len(),
        first.len(),
    );
}

#[test]
fn one_throttled_account_slows_no_other() {
    let Some(large) = Large::start() else { return };
    let slow = large.accounts[0].clone();
    let known: Arc<Mutex<Option<String>>> = Arc::default();
    let key = Arc::clone(&known);
    let count = AtomicUsize::new(0);
    large.aws.disturbed(move |call| {
        let mut known = known.lock().unwrap();
        // Its key is the one that asks about its clusters.
        if call.action == "ecs:DescribeClusters" && call.body.contains(&slow) {
            known.get_or_insert(call.key.clone());
        }
        let is_slow = known.as_ref() == Some(&call.key);
        (is_slow && count.fetch_add(1, Ordering::SeqCst).is_multiple_of(2)).then(Verdict::throttled)
    });
    let (_, time, calls) = large.plan();
    let key = key.lock().unwrap().clone().unwrap();
    // All others were done while that one still waited.
    let last = |of_slow: bool| calls.iter().rposition(|call| (call.key == key) == of_slow);
    assert!(
        last(true) > last(false),
        "{:?} {:?}",
        last(true),
        last(false)
    );
    let own = calls.iter().filter(|call| call.key == key).count();
    println!(
        "one account throttled at every second call: {time} ms, {} calls, {own} of them its own",
        calls.len()
    );
}
