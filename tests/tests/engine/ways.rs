//! The recipes, each with the arrangements that it allows, and what is expected of them: written by
//! hand from the vendors' pages, and not taken from the recipes.

use serde_json::{Value, json};

use crate::cases::{Case, Owner};

/// A vendor's agent.
pub(crate) struct Vendor {
    pub(crate) recipe: &'static str,
    /// Inputs that are always given.
    inputs: &'static [&'static str],
    /// The image of its sidecar, where programs are wrapped.
    pub(crate) sidecar: &'static str,
    /// The sidecar's volume.
    pub(crate) volume: &'static str,
    /// What it puts in front of a program.
    pub(crate) wrapper: &'static [&'static str],
    /// The variables that programs get.
    variables: &'static [&'static str],
    /// Whether programs may be traced.
    traces: bool,
}

const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:agent-AbCdEf";

pub(crate) const ALERT_LOGIC: Vendor = Vendor {
    recipe: "alert-logic",
    inputs: &[],
    sidecar: "",
    volume: "",
    wrapper: &[],
    variables: &[],
    traces: false,
};

pub(crate) const DEEPFENCE: Vendor = Vendor {
    recipe: "deepfence",
    inputs: &[
        "consoleUrl=console.example.com",
        "key=SECRET:deepfence_api_key::",
        "registryCredentials=SECRET",
    ],
    sidecar: "quay.io/deepfenceio/deepfence_agent:3.7.3-fargate",
    volume: "/deepfence",
    wrapper: &["/deepfence/usr/local/bin/deepfence-entry-point-scratch.sh"],
    variables: &[
        "DEEPFENCE_KEY",
        "DEFENDERD_DISABLE_XFF_PROTECTION",
        "DEFENDERD_TCP_BUFFER_LIMIT",
        "DF_FIM_ON",
        "DF_SERVERLESS",
        "DF_TRAFFIC_ANALYSIS_MODE",
        "DF_TRAFFIC_ANALYSIS_ON",
        "MGMT_CONSOLE_URL",
        "USER_DEFINED_TAGS",
    ],
    traces: false,
};

pub(crate) const LACEWORK: Vendor = Vendor {
    recipe: "lacework",
    inputs: &[
        "accessToken=SECRET",
        "serverUrl=https://api.fra.lacework.net",
        r#"config={"tags": {"a": "$HOME"}}"#,
    ],
    sidecar: "lacework/datacollector:latest-sidecar",
    volume: "/var/lib/lacework-backup",
    wrapper: &["/var/lib/lacework-backup/lacework-sidecar.sh"],
    variables: &["LaceworkAccessToken", "LaceworkConfig", "LaceworkServerUrl"],
    traces: false,
};

pub(crate) const PRISMA_CLOUD: Vendor = Vendor {
    recipe: "prisma-cloud",
    inputs: &[
        "image=registry-auth.twistlock.com/tw_token/twistlock/defender:defender_34_01_132",
        "installBundle=SECRET",
        "wsAddress=wss://us-east1.cloud.twistlock.com:443",
        "filesystemMonitoring=false",
    ],
    sidecar: "registry-auth.twistlock.com/tw_token/twistlock/defender:defender_34_01_132",
    volume: "/var/lib/twistlock/fargate",
    wrapper: &[
        "/var/lib/twistlock/fargate/defender",
        "fargate",
        "entrypoint",
    ],
    variables: &[
        "DEFENDER_TYPE",
        "FARGATE_TASK",
        "FILESYSTEM_MONITORING",
        "TW_CONTAINER_NAME",
        "TW_IMAGE_NAME",
    ],
    traces: true,
};

pub(crate) const SYSDIG: Vendor = Vendor {
    recipe: "sysdig",
    inputs: &[
        "accessKey=SECRET",
        "collectorHost=ingest.us4.sysdig.com",
        "collectorPort=6443",
        "agentVersion=5.2.0",
        "logging=",
    ],
    sidecar: "quay.io/sysdig/workload-agent:5.2.0",
    volume: "/opt/draios",
    wrapper: &["/opt/draios/bin/instrument"],
    variables: &[
        "SYSDIG_ACCESS_KEY",
        "SYSDIG_COLLECTOR",
        "SYSDIG_COLLECTOR_PORT",
        "SYSDIG_LOGGING",
        "SYSDIG_PRIORITY",
        "SYSDIG_SIDECAR",
    ],
    traces: true,
};

/// A recipe, and inputs that decide how it wraps.
pub(crate) struct Way {
    pub(crate) vendor: &'static Vendor,
    pub(crate) inputs: &'static [&'static str],
}

/// Every arrangement that the five recipes allow.
pub(crate) const WAYS: [Way; 20] = [
    way(&ALERT_LOGIC, &[]),
    way(&DEEPFENCE, &[]),
    way(&DEEPFENCE, &["arrangement=command"]),
    way(&DEEPFENCE, &["arrangement=entry-point"]),
    way(&DEEPFENCE, &["arrangement=none"]),
    way(&LACEWORK, &[]),
    way(&LACEWORK, &["nonRoot=run-as-root"]),
    way(&LACEWORK, &["nonRoot=sudo"]),
    way(&LACEWORK, &["nonRoot=run-as-root", "arrangement=command"]),
    way(&LACEWORK, &["nonRoot=sudo", "arrangement=entry-point"]),
    way(&LACEWORK, &["nonRoot=run-as-root", "arrangement=none"]),
    way(&LACEWORK, &["embedded=true"]),
    way(&PRISMA_CLOUD, &[]),
    way(&PRISMA_CLOUD, &["arrangement=command"]),
    way(&PRISMA_CLOUD, &["arrangement=entry-point"]),
    way(&PRISMA_CLOUD, &["arrangement=none"]),
    way(&SYSDIG, &[]),
    way(&SYSDIG, &["arrangement=command"]),
    way(&SYSDIG, &["arrangement=entry-point"]),
    way(&SYSDIG, &["arrangement=none"]),
];

const fn way(vendor: &'static Vendor, inputs: &'static [&'static str]) -> Way {
    Way { vendor, inputs }
}

/// What stands between the engine and the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing.
    Nothing,
    /// The wrapper, which becomes the program.
    Wrapper,
    /// A shell, which runs the wrapper by `sudo` and becomes the program.
    Shell,
}

impl Way {
    pub(crate) fn name(&self) -> String {
        [&[self.vendor.recipe], self.inputs].concat().join(" ")
    }

    fn given(&self, input: &str) -> bool {
        self.inputs.contains(&input)
    }

    pub(crate) fn arguments(&self) -> Vec<String> {
        let inputs = self.vendor.inputs.iter().chain(self.inputs);
        let inputs = inputs.flat_map(|input| ["--set".to_owned(), input.replace("SECRET", SECRET)]);
        ["--recipe".to_owned(), self.vendor.recipe.to_owned()]
            .into_iter()
            .chain(inputs)
            .collect()
    }

    /// Whether nothing but C' stands in the command, so that it can be replaced.
    pub(crate) fn keeps_the_command(&self) -> bool {
        !self
            .inputs
            .iter()
            .any(|input| input.starts_with("arrangement="))
            && !self.given("nonRoot=sudo")
    }

    /// Lacework's agent is in a volume, and has to start as root.
    fn starts_agent_as_root(&self) -> bool {
        self.vendor.recipe == "lacework" && !self.given("embedded=true")
    }

    /// What stands in front of the program of this case.
    pub(crate) fn before(&self, case: &Case<'_>) -> Before {
        if self.vendor.wrapper.is_empty() || self.given("embedded=true") {
            Before::Nothing
        } else if self.given("nonRoot=sudo") && case.subject.other_user {
            Before::Shell
        } else if self.given("arrangement=none") {
            Before::Nothing
        } else {
            Before::Wrapper
        }
    }

    /// The arguments of each program that runs before the one with these.
    pub(crate) fn wrappers(&self, case: &Case<'_>, program: &[String]) -> Vec<Value> {
        let wrapper = self.vendor.wrapper;
        match self.before(case) {
            Before::Nothing => Vec::new(),
            Before::Wrapper => {
                let program = program.iter().map(String::as_str);
                vec![wrapper.iter().copied().chain(program).collect()]
            }
            Before::Shell => vec![json!([&["sudo", "-E"], wrapper].concat()), json!(wrapper)],
        }
    }

    pub(crate) fn variables(&self) -> &'static [&'static str] {
        self.vendor.variables
    }

    /// Whether the user of this case becomes root, which the recipe then says.
    pub(crate) fn becomes_root(&self, case: &Case<'_>) -> bool {
        self.given("nonRoot=run-as-root") && case.subject.other_user
    }

    /// Whether the container gets SYS_PTRACE.
    pub(crate) fn traces(&self, case: &Case<'_>) -> bool {
        let of_other_user = self.given("nonRoot=sudo") || self.given("embedded=true");
        self.vendor.traces || (of_other_user && case.subject.other_user)
    }

    /// The code of the finding with which this case has to be refused.
    pub(crate) fn refused(&self, case: &Case<'_>) -> Option<&'static str> {
        let wraps = self.before(case) != Before::Nothing;
        let nobody_decides = !self
            .inputs
            .iter()
            .any(|input| input.starts_with("nonRoot="));
        let needs_root = self.starts_agent_as_root() && nobody_decides;
        match case.empty_entry_point_word() {
            // It is looked at wherever an agent may be started, if only by the image.
            Some(Owner::Task) if !self.vendor.wrapper.is_empty() => {
                Some("empty-argument-entry-point")
            }
            // Lacework's recipe may wrap, which it decides by the image's user.
            Some(Owner::Image) if wraps || self.vendor.recipe == "lacework" => {
                Some("empty-argument-entry-point")
            }
            _ if needs_root && case.subject.other_user => Some("recipe-refused"),
            _ if self.before(case) == Before::Shell && case.has_variable_of_no_shell() => {
                Some("shell-drops-variable")
            }
            _ if wraps && case.process().is_empty() => Some("empty-process"),
            _ => None,
        }
    }
}
