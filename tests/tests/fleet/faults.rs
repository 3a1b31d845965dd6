//! What Prisma Cloud's updater for organizations gets wrong, one test for each.

use outrigger_tests::servers::Verdict;
use serde_json::{Value, json};

use crate::account::{Aws, from_image, outcomes, plain, registrable};

#[test]
fn services_on_fargate_spot_are_found() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let strategy = |providers: &[&str]| {
        let one = |provider: &&str| json!({"capacityProvider": provider, "weight": 1});
        json!({"capacityProviderStrategy": providers.iter().map(one).collect::<Vec<Value>>()})
    };
    let kinds = [
        ("spot", strategy(&["FARGATE_SPOT"])),
        ("both", strategy(&["FARGATE_SPOT", "FARGATE"])),
        ("fargate", json!({"launchType": "FARGATE"})),
        ("ec2", json!({"launchType": "EC2"})),
        ("own", strategy(&["our-instances"])),
    ];
    for (name, more) in &kinds {
        let mut definition = plain(name);
        if *name == "fargate" {
            // Where it runs decides, not what it says that it could run on.
            definition
                .as_object_mut()
                .unwrap()
                .remove("requiresCompatibilities");
        }
        let arn = aws.register(&definition);
        aws.service_with(&cluster, name, &arn, more);
    }
    // Moto forgets the strategies of services.
    aws.disturbed(move |call| match call.action.as_str() {
        "ecs:DescribeServices" => {
            let kinds = kinds.clone();
            Some(Verdict::Change(Box::new(move |mut answer| {
                for service in answer["services"].as_array_mut().unwrap() {
                    let name = service["serviceName"].as_str().unwrap_or_default();
                    let (_, more) = kinds.iter().find(|(kind, _)| *kind == name).unwrap();
                    if more.get("launchType").is_none() {
                        service["capacityProviderStrategy"] =
                            more["capacityProviderStrategy"].clone();
                        service.as_object_mut().unwrap().remove("launchType");
                    }
                }
                answer
            })))
        }
        _ => None,
    });
    let (ran, plan) = aws.plan(&["--report-file", "report.json"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(
        named(&plan["shards"][0]["targets"]),
        ["both", "fargate", "spot"]
    );
    let report = aws.json("report.json");
    let left = &report["shards"][0]["leftAlone"];
    assert_eq!(named(left), ["ec2", "own"]);
    assert!(
        left.as_array()
            .unwrap()
            .iter()
            .all(|left| left["code"] == "not-on-fargate")
    );
    let (_, plan) = aws.plan(&["--launch-types", "any"]);
    assert_eq!(plan["shards"][0]["targets"].as_array().unwrap().len(), 5);
}

fn named(targets: &Value) -> Vec<String> {
    let targets = targets.as_array().unwrap().iter();
    let name = |it: &Value| {
        it["target"]["service"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    };
    targets.map(name).collect()
}

#[test]
fn the_clusters_default_strategy_counts() {
    let Some(aws) = Aws::start() else { return };
    let input = json!({
        "clusterName": "spot", "capacityProviders": ["FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
    });
    let made = aws.ecs("CreateCluster", &input);
    let cluster = made["cluster"]["clusterArn"].as_str().unwrap();
    let arn = aws.register(&plain("api"));
    aws.service_with(cluster, "api", &arn, &json!({}));
    // Moto says `EC2` where ECS says nothing.
    aws.disturbed(|call| match call.action.as_str() {
        "ecs:DescribeServices" => Some(Verdict::Change(Box::new(|mut answer| {
            for service in answer["services"].as_array_mut().unwrap() {
                service.as_object_mut().unwrap().remove("launchType");
            }
            answer
        }))),
        _ => None,
    });
    let (ran, plan) = aws.plan(&[]);
    assert_eq!(
        named(&plan["shards"][0]["targets"]),
        ["api"],
        "{}",
        ran.stderr
    );
}

#[test]
fn tags_are_kept() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let arn = aws.register(&plain("api"));
    let more =
        json!({"launchType": "FARGATE", "propagateTags": "SERVICE", "enableECSManagedTags": true});
    aws.service_with(&cluster, "api", &arn, &more);
    let service = || {
        let input = json!({"cluster": cluster, "services": ["api"], "include": ["TAGS"]});
        let mut service = aws.ecs("DescribeServices", &input)["services"][0].clone();
        service.as_object_mut().unwrap().remove("taskDefinition");
        service
    };
    let before = service();
    aws.plan(&[]);
    let ran = aws.apply(&[]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(service(), before);
    let after = aws.definition("api:2");
    for tag in plain("api")["tags"].as_array().unwrap() {
        assert!(after["tags"].as_array().unwrap().contains(tag));
    }
}

#[test]
fn a_sidecar_that_is_not_the_last_container_is_known() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let arn = aws.register(&plain("api"));
    aws.service(&cluster, "api", &arn);
    aws.plan(&[]);
    assert_eq!(aws.apply(&[]).exit, Some(0));
    // A team deploys from what it finds, with one container more, and in another order.
    let mut changed = registrable(&aws.definition("api:2"));
    let containers = changed["containerDefinitions"].as_array_mut().unwrap();
    containers.reverse();
    containers.push(json!({"name": "log", "image": "nginx:1.27", "entryPoint": ["/bin/log"], "command": [], "essential": false}));
    let arn = aws.register(&changed);
    aws.ecs(
        "UpdateService",
        &json!({"cluster": cluster, "service": "api", "taskDefinition": arn}),
    );
    let (ran, _) = aws.plan(&[
        "--exclude",
        "$.containerDefinitions[?@.name == 'log']",
        "--detailed-exitcode",
    ]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    let exclude = ["--exclude", "$.containerDefinitions[?@.name == 'log']"];
    let newer = ["--set", "image=lacework/datacollector:5-sidecar"];
    aws.plan(&[&exclude[..], &newer].concat());
    let ran = aws.apply(&newer);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    let after = aws.definition("api:4");
    let containers = after["taskDefinition"]["containerDefinitions"]
        .as_array()
        .unwrap();
    let sidecars = containers
        .iter()
        .filter(|it| it["name"] == "datacollector-sidecar");
    let images: Vec<&Value> = sidecars.map(|sidecar| &sidecar["image"]).collect();
    assert_eq!(images, [&json!("lacework/datacollector:5-sidecar")]);
    assert_eq!(containers.len(), 3);
}

#[test]
fn an_upgrade_takes_containers_without_entry_point_and_pinned_images() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let mut pinned = from_image("cache");
    pinned["containerDefinitions"][0]["image"] = json!(format!("redis@sha256:{}", "2".repeat(64)));
    for definition in [from_image("web"), pinned] {
        let name = definition["family"].as_str().unwrap().to_owned();
        let arn = aws.register(&definition);
        aws.service(&cluster, &name, &arn);
    }
    aws.plan(&[]);
    assert_eq!(aws.apply(&[]).exit, Some(0));
    let newer = ["--set", "image=lacework/datacollector:5-sidecar"];
    aws.plan(&newer);
    let ran = aws.apply(&newer);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    for (name, program) in [("web", "daemon off;"), ("cache", "redis-server")] {
        let after = aws.definition(&format!("{name}:3")).to_string();
        assert!(
            after.contains(program) && after.contains("datacollector:5-sidecar"),
            "{after}"
        );
        let wrappers = after
            .matches("[\"/var/lib/lacework-backup/lacework-sidecar.sh\"")
            .count();
        assert!(wrappers <= 1, "{after}");
    }
}

#[test]
fn one_that_cannot_be_done_stops_no_other() {
    let Some(aws) = Aws::start() else { return };
    let cluster = aws.cluster("prod");
    let mut unknown = from_image("unknown");
    unknown["containerDefinitions"][0]["image"] = json!("registry.example.com/nobody/knows:1");
    for definition in [plain("api"), unknown, plain("web")] {
        let name = definition["family"].as_str().unwrap().to_owned();
        let arn = aws.register(&definition);
        aws.service(&cluster, &name, &arn);
    }
    let more = json!({"launchType": "FARGATE", "deploymentController": {"type": "CODE_DEPLOY"}});
    let arn = aws.register(&plain("blue"));
    aws.service_with(&cluster, "blue", &arn, &more);
    let (ran, plan) = aws.plan(&["--report-file", "report.json"]);
    assert_eq!(ran.exit, Some(3), "{}", ran.stderr);
    assert_eq!(named(&plan["shards"][0]["targets"]), ["api", "web"]);
    assert!(
        ran.stderr.contains("not in the lock file"),
        "{}",
        ran.stderr
    );
    let left = aws.json("report.json")["shards"][0]["leftAlone"].clone();
    assert_eq!(
        (named(&left), &left[0]["code"]),
        (vec!["blue".to_owned()], &json!("deployment-controller"))
    );
    let ran = aws.apply(&["--report-file", "done.json"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(outcomes(&aws.json("done.json")).len(), 2);
    assert_eq!(aws.runs(&cluster, "unknown"), "unknown:1");
    assert_eq!(aws.runs(&cluster, "blue"), "blue:1");
}
