//! Rules about what Fargate, one of its platform versions, or Windows does not have; see
//! [task definition differences for Fargate](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html).

use std::collections::BTreeSet;

use crate::cloudformation::launch::is_old;
use crate::report::Code;

use super::read::Fact;
use super::{Case, Violation};

/// The capability that Fargate lets a task definition add.
const SYS_PTRACE: &str = "SYS_PTRACE";

/// The capabilities that a container adds.
fn added(case: &Case<'_, '_>, container: &super::Container<'_>) -> Vec<String> {
    let reader = case.reader;
    let parameters = reader.object(container.object, "linuxParameters").known();
    let capabilities =
        parameters.and_then(|parameters| reader.object(parameters, "capabilities").known());
    let names = capabilities.map(|capabilities| reader.texts(capabilities, "add").items);
    let names = names.into_iter().flatten();
    names.map(|name| name.into_owned()).collect()
}

/// Capabilities other than `SYS_PTRACE`.
pub(super) fn capabilities(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    if !case.surroundings.fargate {
        return;
    }
    for container in &case.definition.containers {
        let others: BTreeSet<String> = added(case, container)
            .into_iter()
            .filter(|name| name != SYS_PTRACE)
            .collect();
        for name in others {
            let message =
                format!("it adds the capability `{name}`, and Fargate allows `{SYS_PTRACE}` only");
            let subject = format!("{} {name}", container.label);
            let hint = "remove the capability, or run the task elsewhere than on Fargate";
            let code = Code::FargateCapability;
            found.push(Violation::new(code, subject, message, hint).of(container));
        }
    }
}

/// Privileged containers.
pub(super) fn privileged(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    for container in &case.definition.containers {
        if case.surroundings.fargate
            && case.reader.boolean(container.object, "privileged") == Fact::Known(true)
        {
            let message = "it is privileged, which Fargate does not allow".to_owned();
            let hint = "remove `privileged`, or run the task elsewhere than on Fargate";
            let code = Code::FargatePrivileged;
            let subject = container.label.to_string();
            found.push(Violation::new(code, subject, message, hint).of(container));
        }
    }
}

/// Links between containers.
pub(super) fn links(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    for container in &case.definition.containers {
        if case.surroundings.fargate
            && !case
                .reader
                .texts(container.object, "links")
                .items
                .is_empty()
        {
            let message = "it has `links`, which Fargate does not have".to_owned();
            let hint = "remove `links`: the containers of the task reach each other as `localhost`";
            let code = Code::FargateLinks;
            let subject = container.label.to_string();
            found.push(Violation::new(code, subject, message, hint).of(container));
        }
    }
}

/// Volumes of the host's files.
pub(super) fn host_volumes(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let (reader, task) = (case.reader, case.definition.task);
    if !case.surroundings.fargate {
        return;
    }
    for volume in reader.objects(task, "volumes").items {
        let Fact::Known(host) = reader.object(volume, "host") else {
            continue;
        };
        let path = reader.text(host, "sourcePath").known();
        if path.is_some_and(|path| !path.is_empty()) {
            let name = reader.text(volume, "name").known().unwrap_or_default();
            let message = format!(
                "the volume `{name}` is a path of the host, and on Fargate there is no host"
            );
            let hint = "remove `sourcePath`, or use a file system such as EFS";
            found.push(Violation::new(
                Code::FargateHostVolume,
                name.into_owned(),
                message,
                hint,
            ));
        }
    }
}

/// Something in the document, or something outside of it that starts it, that runs it on a platform version which is too old for what it asks.
pub(super) fn platform_version(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let surroundings = case.surroundings;
    let mut inside = surroundings.old_platforms.iter();
    let inside = inside.find(|old| surroundings.fargate && old.runs(surroundings.id));
    let mut outside = surroundings.settings.platform_versions.iter();
    let (who, version) = match (inside, outside.find(|version| is_old(version))) {
        (Some(old), _) => ("a resource of the document", old.version),
        (None, Some(version)) => ("a service, a rule or a schedule", version.as_str()),
        (None, None) => return,
    };
    let mut asked: Vec<String> = Vec::new();
    for container in &case.definition.containers {
        if added(case, container).iter().any(|name| name == SYS_PTRACE) {
            asked.push(format!("the capability `{SYS_PTRACE}`"));
            break;
        }
    }
    let pid_mode = case.reader.text(case.definition.task, "pidMode").known();
    if pid_mode.is_some_and(|mode| mode == "task") {
        asked.push("`pidMode` `task`".to_owned());
    }
    for what in asked {
        let message = format!(
            "{who} runs it with the platform version `{version}`, and {what} needs 1.4.0 or later"
        );
        let hint = "use the platform version `1.4.0` or `LATEST`";
        found.push(Violation::new(
            Code::PlatformVersionTooOld,
            what,
            message,
            hint,
        ));
    }
}

/// `pidMode` on Windows.
pub(super) fn pid_mode(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let (reader, task) = (case.reader, case.definition.task);
    let Fact::Known(mode) = reader.text(task, "pidMode") else {
        return;
    };
    let runtime = reader.object(task, "runtimePlatform").known();
    let system = runtime.and_then(|runtime| reader.text(runtime, "operatingSystemFamily").known());
    if system.is_some_and(|system| system.starts_with("WINDOWS")) {
        let message = format!("`pidMode` is `{mode}`, which Windows does not have");
        let hint = "remove `pidMode`";
        found.push(Violation::new(
            Code::PidModeOnWindows,
            String::new(),
            message,
            hint,
        ));
    }
}
