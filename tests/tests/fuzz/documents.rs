//! Templates, task definitions and plans, in any state.

use std::fs;

use outrigger_tests::document::{as_template, parse};
use outrigger_tests::law::{self, Wrapper};
use outrigger_tests::plan;
use outrigger_tests::run::{Ran, cfn_filter, tf_filter};
use serde_json::Value;
use tempfile::TempDir;

use crate::driver::{Seen, Target};
use crate::random::hash;
use crate::seeds;

/// What stands in templates and task definitions.
pub(crate) const WORDS: &[&str] = &[
    "Resources",
    "Type",
    "AWS::ECS::TaskDefinition",
    "AWS::ECS::Service",
    "Properties",
    "ContainerDefinitions",
    "containerDefinitions",
    "taskDefinition",
    "Name",
    "Image",
    "EntryPoint",
    "Command",
    "User",
    "Environment",
    "Secrets",
    "DependsOn",
    "VolumesFrom",
    "MountPoints",
    "LinuxParameters",
    "Essential",
    "FirelensConfiguration",
    "RuntimePlatform",
    "CpuArchitecture",
    "ARM64",
    "OperatingSystemFamily",
    "WINDOWS_SERVER_2022_CORE",
    "RequiresCompatibilities",
    "FARGATE",
    "NetworkMode",
    "awsvpc",
    "bridge",
    "Cpu",
    "Memory",
    "Volumes",
    "Tags",
    "PidMode",
    "Ref",
    "Fn::If",
    "Fn::Sub",
    "Fn::Join",
    "Fn::Split",
    "Fn::Select",
    "Fn::FindInMap",
    "Fn::GetAtt",
    "Fn::ImportValue",
    "Fn::Length",
    "Fn::ToJsonString",
    "Fn::ForEach::L",
    "Fn::Transform",
    "Fn::Base64",
    "Condition",
    "Conditions",
    "Parameters",
    "Default",
    "Mappings",
    "NoEcho",
    "Outputs",
    "Metadata",
    "Transform",
    "AWS::NoValue",
    "AWS::Region",
    "AWS::AccountId",
    "AWS::StackName",
    "DeletionPolicy",
    "nginx:1.27",
    "nginx",
    "alert-logic-agent",
    "datacollector-sidecar",
    "root",
    "0",
    "sh",
    "-c",
    "/bin/sh",
    "exec",
    "outrigger",
    "instrument",
    "false",
    "true",
];

const PLAN_WORDS: &[&str] = &[
    "resource_changes",
    "planned_values",
    "root_module",
    "child_modules",
    "resources",
    "address",
    "module_address",
    "mode",
    "managed",
    "data",
    "type",
    "name",
    "index",
    "provider_name",
    "change",
    "actions",
    "create",
    "update",
    "delete",
    "no-op",
    "read",
    "forget",
    "before",
    "after",
    "after_unknown",
    "before_sensitive",
    "after_sensitive",
    "replace_paths",
    "aws_ecs_task_definition",
    "aws_ecs_service",
    "container_definitions",
    "values",
    "sensitive_values",
    "configuration",
    "expressions",
    "references",
    "prior_state",
    "format_version",
    "1.2",
    "2.0",
    "terraform_version",
    "family",
    "volume",
    "runtime_platform",
    "requires_compatibilities",
    "FARGATE",
    "image",
    "command",
    "entryPoint",
    "essential",
    "[]",
    "arn",
    "create_before_destroy",
    "deposed",
    "previous_address",
];

const LACEWORK: &str = "--recipe lacework --set accessToken=arn:aws:secretsmanager:eu-central-1:123456789012:secret:lacework-AbCdEf --set serverUrl=https://api.fra.lacework.net";

/// Command lines; the input says by itself which one it gets. `@` stands for those of [`LACEWORK`].
const TEMPLATE_ARGS: &[&str] = &[
    "@ --region eu-central-1 --account-id 123456789012 --parameterized-images resolve --launch-types any --on-unresolved skip",
    "@ --set nonRoot=sudo --region eu-central-1",
    "@ --on-unresolved skip --parameterized-images resolve --pin-digests",
    "--recipe sysdig --set collectorHost=collector.example.com --set accessKey=arn:aws:secretsmanager:eu-central-1:123456789012:secret:sysdig-AbCdEf --on-unresolved skip --launch-types any",
    "--recipe prisma-cloud --set image=registry-auth.twistlock.com/tw_token/twistlock/defender:defender_34_01_132 --set installBundle=b3BhcXVl --set wsAddress=wss://us-east1.cloud.twistlock.com:443 --on-unresolved skip",
    "--recipe alert-logic --launch-types any --mode opt-in --task-size grow --on-unresolved skip",
    "@ --recipe alert-logic --on-unresolved skip --launch-types any --task-size grow",
];

const PLAN_ARGS: &[&str] = &[
    "@ --on-unresolved skip --launch-types any",
    "@ --set nonRoot=sudo",
    "@ --on-unresolved skip --pin-digests --fail-on-unknown",
    "--recipe alert-logic --launch-types any --task-size grow --on-unresolved skip",
    "@ --recipe alert-logic --on-unresolved skip --launch-types any",
];

pub(crate) fn template() -> Target {
    Target {
        name: "template",
        inputs: 200,
        words: WORDS,
        seeds: seeds::templates,
        check: || {
            let subject = Subject::new(TEMPLATE_ARGS);
            Box::new(move |input: &[u8]| subject.template(input))
        },
    }
}

pub(crate) fn plan() -> Target {
    Target {
        name: "plan",
        inputs: 200,
        words: PLAN_WORDS,
        seeds: seeds::plans,
        check: || {
            let subject = Subject::new(PLAN_ARGS);
            Box::new(move |input: &[u8]| subject.plan(input))
        },
    }
}

/// The filters, with a lock file that answers for the images of the seeds.
struct Subject {
    args: Vec<Vec<String>>,
    lock: Value,
    _folder: TempDir,
}

impl Subject {
    fn new(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outrigger.lock");
        let lock = seeds::lock();
        fs::write(&path, lock.to_string()).unwrap();
        let path = path.display().to_string();
        let line = |args: &&str| {
            let args = args.replace('@', LACEWORK);
            let args = args.split(' ').map(str::to_owned);
            ["-", "--lock", &path]
                .map(str::to_owned)
                .into_iter()
                .chain(args)
                .collect()
        };
        Self {
            args: args.iter().map(line).collect(),
            lock,
            _folder: folder,
        }
    }

    fn args(&self, input: &[u8]) -> &[String] {
        &self.args[(hash(input) % self.args.len() as u64) as usize]
    }

    fn template(&self, input: &[u8]) -> Result<Seen, String> {
        let args = self.args(input);
        let once = cfn_filter(args, input);
        if let Some(output) = written(&once)? {
            let after =
                parse(output).map_err(|error| format!("the output is no template: {error}"))?;
            let before = parse(input)
                .map_err(|error| format!("the input is no template, and was taken: {error}"))?;
            again(&once, &cfn_filter(args, output))?;
            let recipes: Vec<&str> = recipes(args).collect();
            if let [recipe] = recipes.as_slice()
                && let Some(wrapper) = Wrapper::of(recipe)
            {
                let verdict = law::judge(
                    &as_template(before),
                    &as_template(after),
                    &self.lock,
                    wrapper,
                );
                if !verdict.broken.is_empty() {
                    return Err(format!("the program: {}", verdict.broken.join("; ")));
                }
            }
        }
        Ok(seen(&once))
    }

    fn plan(&self, input: &[u8]) -> Result<Seen, String> {
        let args = self.args(input);
        let once = tf_filter(args, input);
        if let Some(output) = written(&once)? {
            let json = |bytes: &[u8]| {
                let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
                serde_json::from_slice::<Value>(bytes).map_err(|error| error.to_string())
            };
            // A plan may be deeper than this reader goes.
            if let Ok(before) = json(input) {
                let after =
                    json(output).map_err(|error| format!("the output is no plan: {error}"))?;
                // What the input says twice, it may say in two ways.
                let was = plan::judge(&before, &before);
                let mut broken = plan::judge(&before, &after);
                broken.retain(|rule| {
                    // And it may know the ARN of what is not there yet.
                    !was.contains(rule) && !rule.ends_with("its ARN is known")
                });
                if !broken.is_empty() {
                    return Err(format!("the plan: {}", broken.join("; ")));
                }
            }
            again(&once, &tf_filter(args, output))?;
        }
        Ok(seen(&once))
    }
}

fn recipes(args: &[String]) -> impl Iterator<Item = &str> {
    let named = args.windows(2).filter(|pair| pair[0] == "--recipe");
    named.map(|pair| pair[1].as_str())
}

/// What was written; nothing, where the run failed and said why.
pub(crate) fn written(ran: &Ran) -> Result<Option<&[u8]>, String> {
    if ran.stderr.is_empty() {
        return Err(format!("no report: exit code {}", ran.exit));
    }
    match ran.exit {
        0 | 3 if !ran.stdout.is_empty() => Ok(Some(&ran.stdout)),
        // Strict runs write nothing.
        3 => Ok(None),
        1 | 2 if ran.stdout.is_empty() => Ok(None),
        exit => Err(format!(
            "the outcome: exit code {exit} with {} bytes written: {}",
            ran.stdout.len(),
            ran.stderr
        )),
    }
}

/// A second run changes nothing.
pub(crate) fn again(once: &Ran, twice: &Ran) -> Result<(), String> {
    if twice.exit != once.exit {
        return Err(format!(
            "a second run: exit code {}, not {}: {}",
            twice.exit, once.exit, twice.stderr
        ));
    }
    if twice.stdout != once.stdout {
        let (before, after) = (
            String::from_utf8_lossy(&once.stdout),
            String::from_utf8_lossy(&twice.stdout),
        );
        let diff = similar::TextDiff::from_lines(&before, &after);
        return Err(format!(
            "a second run changes: {}\n{}",
            twice.stderr,
            diff.unified_diff().context_radius(1)
        ));
    }
    Ok(())
}

/// The outcome and the codes of the report, or the words of the message.
pub(crate) fn seen(ran: &Ran) -> Seen {
    let mut sight = vec![ran.exit];
    let mut quoted = false;
    for byte in ran.stderr.bytes() {
        match byte {
            b'`' => quoted = !quoted,
            byte if !quoted && byte.is_ascii_alphabetic() => sight.push(byte),
            _ => {}
        }
    }
    hash(&sight)
}
