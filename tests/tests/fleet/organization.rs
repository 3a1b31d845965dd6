//! Many accounts and regions, and many services.

use std::time::{Duration, Instant};

use outrigger_tests::servers::{Verdict, paged};
use serde_json::{Value, json};

use crate::account::{Aws, OWN, REGION, outcomes, plain};

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

#[test]
fn every_account_of_an_organization_but_those_that_cannot_be_entered() {
    let Some(aws) = Aws::start() else { return };
    let accounts = organization(&aws, 5);
    let [good, also, suspended, denied, throttled] = &accounts[..] else {
        panic!("{accounts:?}")
    };
    for account in [good, also, suspended, denied, throttled] {
        services(&aws, (account, REGIONS[0]), 1);
    }
    services(&aws, (also, REGIONS[1]), 1);
    let (gone, refuses) = (suspended.clone(), denied.clone());
    let slow = aws.moto.key_of(throttled).unwrap();
    assert!(!slow.is_empty());
    aws.disturbed(move |call| {
        let (gone, token) = (gone.clone(), call.text("NextToken").to_owned());
        match call.action.as_str() {
            // Pages of two, as the service may well give them.
            "organizations:ListAccounts" => Some(Verdict::Instead(json!({}), Box::new(move |mut answer| {
                for account in answer["Accounts"].as_array_mut().unwrap() {
                    if account["Id"] == gone.as_str() {
                        account["Status"] = json!("SUSPENDED");
                            account["State"] = json!("SUSPENDED");
                    }
                }
                paged(answer, ("Accounts", "NextToken"), &token, 2)
            }))),
            "sts:AssumeRole" => {
                assert!(call.body.contains("&ExternalId=canary-external"));
                assert!(call.body.contains("&Tags.member.1.Key=purpose&Tags.member.1.Value=fleet"));
                call.body.contains(&refuses).then(|| {
                    let error = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
                    Verdict::Answer(403, json!(error))
                })
            }
            _ => None,
        }
    });
    let regions = REGIONS[..2].join(",");
    let entering = [
        "--role-name",
        "OutriggerFleet",
        "--external-id",
        "canary-external",
        "--session-tag",
        "purpose=fleet",
    ];
    let (ran, plan) =
        aws.plan(&[&["--organization", "--region", &regions][..], &entering].concat());
    assert_eq!(ran.exit, Some(1), "{}", ran.stderr);
    let planned = plan["shards"].as_array().unwrap().iter();
    let mut planned: Vec<(&str, &str)> = planned
        .map(|shard| {
            (
                shard["shard"]["account"].as_str().unwrap(),
                shard["shard"]["region"].as_str().unwrap(),
            )
        })
        .collect();
    let mut expected = vec![
        (good.as_str(), REGIONS[0]),
        (also, REGIONS[0]),
        (also, REGIONS[1]),
        (throttled, REGIONS[0]),
    ];
    planned.sort_unstable();
    expected.sort_unstable();
    assert_eq!(planned, expected);
    assert!(
        ran.stderr
            .contains(&format!("account `{denied}` cannot be entered")),
        "{}",
        ran.stderr
    );
    let skipped = format!("account `{suspended}` is skipped: it is `SUSPENDED`");
    assert!(ran.stderr.contains(&skipped), "{}", ran.stderr);

    let ran = aws.apply(&[&["--report-file", "done.json"][..], &entering].concat());
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(runs(&aws, (good, REGIONS[0]), "s0"), "s0:2");
    assert_eq!(runs(&aws, (also, REGIONS[1]), "s0"), "s0:2");
    assert_eq!(runs(&aws, (denied, REGIONS[0]), "s0"), "s0:1");
    assert_eq!(runs(&aws, (suspended, REGIONS[0]), "s0"), "s0:1");

    // Without the role nothing is entered, and one's own account is not mistaken for another.
    let ran = aws.apply(&["--journal", "other.journal"]);
    assert_eq!(ran.exit, Some(1));
    assert!(
        ran.stderr
            .contains(&format!("the credentials are those of `{OWN}`")),
        "{}",
        ran.stderr
    );
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

#[test]
fn an_organization_with_slow_answers_and_one_account_that_is_throttled() {
    let Some(aws) = Aws::start() else { return };
    let (accounts, each) = size();
    let accounts = organization(&aws, accounts);
    for account in &accounts {
        for region in REGIONS {
            services(&aws, (account, region), each);
        }
    }
    let regions = REGIONS.join(",");
    let args = [
        "--account",
        &accounts.join(","),
        "--region",
        &regions,
        "--role-name",
        "OutriggerFleet",
        "--shards",
        "60",
    ];
    aws.proxy.delay(Duration::from_millis(50));
    let timed = |aws: &Aws| {
        aws.proxy.take_calls();
        let begun = Instant::now();
        let (ran, plan) = aws.plan(&args);
        assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
        let shards = plan["shards"].as_array().unwrap();
        assert_eq!(shards.len(), accounts.len() * REGIONS.len());
        (begun.elapsed(), aws.proxy.take_calls())
    };
    let (time, calls) = timed(&aws);
    let total = accounts.len() * REGIONS.len() * each;
    println!(
        "{total} services in {} accounts and {} regions: {time:?}, {} calls",
        accounts.len(),
        REGIONS.len(),
        calls.len()
    );
    // One for each definition, and few besides.
    let described = calls
        .iter()
        .filter(|call| call.action == "ecs:DescribeTaskDefinition")
        .count();
    assert_eq!(described, total);
    let shards = accounts.len() * REGIONS.len();
    let others = 4 + 2 * each.div_ceil(10) + 3;
    assert!(
        calls.len() <= described + shards * others + accounts.len() + 1,
        "{}",
        calls.len()
    );

    // The key of the first account is that of the first role that is assumed for it.
    let slow = accounts[0].clone();
    let keys: std::sync::Mutex<std::collections::BTreeMap<String, usize>> =
        std::sync::Mutex::default();
    let throttled_account = std::sync::Arc::new(std::sync::Mutex::new(None::<String>));
    let known = throttled_account.clone();
    aws.disturbed(move |call| {
        if call.action == "sts:AssumeRole" && call.body.contains(&slow) {
            return None;
        }
        let input = call.input.to_string();
        if input.contains(&slow) && known.lock().unwrap().is_none() {
            *known.lock().unwrap() = Some(call.key.clone());
        }
        let is_slow = known.lock().unwrap().as_ref() == Some(&call.key);
        let mut keys = keys.lock().unwrap();
        let count = keys.entry(call.key.clone()).or_default();
        *count += 1;
        (is_slow && *count % 2 == 0).then(Verdict::throttled)
    });
    let (_, calls) = timed(&aws);
    let key = throttled_account.lock().unwrap().clone().unwrap();
    let last = |of_slow: bool| calls.iter().rposition(|call| (call.key == key) == of_slow);
    println!(
        "with one account throttled: its last call was the {:?}th of {}, that of all others the {:?}th",
        last(true),
        calls.len(),
        last(false)
    );
}
