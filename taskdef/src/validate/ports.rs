//! Rules about ports.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::report::Code;

use super::read::{Fact, Object, Reader};
use super::{Case, Violation};

/// The first and the last port that a container listens on, for a protocol.
struct Ports<'l> {
    container: usize,
    label: &'l str,
    protocol: Cow<'l, str>,
    first: u64,
    last: u64,
}

/// Whose ports containers share, as the network mode decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Network {
    /// `awsvpc`: the containers of the task share one network namespace.
    Task,
    /// `host`: the namespace of the instance.
    Host,
    /// `bridge` and its like: only host ports are shared.
    Bridge,
}

/// The network, where the mode is known.
fn network(case: &Case<'_, '_>) -> Option<Network> {
    match case.reader.text(case.definition.task, "networkMode") {
        Fact::Unknown => None,
        Fact::Absent => Some(Network::Bridge),
        Fact::Known(mode) => match mode.as_ref() {
            "awsvpc" => Some(Network::Task),
            "host" => Some(Network::Host),
            "bridge" | "default" => Some(Network::Bridge),
            _ => None,
        },
    }
}

/// The ports that a mapping takes in the shared namespace.
fn taken(reader: &Reader<'_>, mapping: Object<'_>, network: Network) -> Option<(u64, u64)> {
    let stated = |key| {
        reader
            .integer(mapping, key)
            .known()
            .filter(|port| *port > 0)
    };
    if network == Network::Bridge {
        // Without a host port the instance chooses a free one.
        return stated("hostPort").map(|port| (port, port));
    }
    if let Some(port) = stated("containerPort") {
        return Some((port, port));
    }
    let range = reader.text(mapping, "containerPortRange").known()?;
    let (first, last) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}

/// Two containers on one port.
pub(super) fn taken_twice(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let reader = case.reader;
    let Some(network) = network(case) else { return };
    let mut all: Vec<Ports<'_>> = Vec::new();
    for (position, container) in case.definition.containers.iter().enumerate() {
        for mapping in reader.objects(container.object, "portMappings").items {
            let protocol = match reader.text(mapping, "protocol") {
                Fact::Absent => Cow::Borrowed("tcp"),
                Fact::Unknown => continue,
                Fact::Known(protocol) => protocol,
            };
            if let Some((first, last)) = taken(reader, mapping, network) {
                all.push(Ports {
                    container: position,
                    label: &container.label,
                    protocol,
                    first,
                    last,
                });
            }
        }
    }
    all.sort_by(|one, other| (&one.protocol, one.first).cmp(&(&other.protocol, other.first)));
    let mut told = BTreeSet::new();
    // The mapping so far that reaches furthest.
    let mut reaching: Option<&Ports<'_>> = None;
    for here in &all {
        if let Some(before) = reaching
            && before.protocol == here.protocol
            && here.first <= before.last
            && before.container != here.container
        {
            let pair = if before.container < here.container {
                (before.label, here.label)
            } else {
                (here.label, before.label)
            };
            let subject = format!("{} {} {} {}", here.protocol, here.first, pair.0, pair.1);
            if told.insert(subject.clone()) {
                found.push(conflict(here, pair, network, subject));
            }
        }
        let further = reaching
            .is_none_or(|before| before.protocol != here.protocol || here.last >= before.last);
        if further {
            reaching = Some(here);
        }
    }
}

fn conflict(
    here: &Ports<'_>,
    (one, other): (&str, &str),
    network: Network,
    subject: String,
) -> Violation {
    let why = match network {
        Network::Task => "the containers of a task in network mode `awsvpc` share their ports",
        Network::Host => {
            "the containers of a task in network mode `host` share the instance's ports"
        }
        Network::Bridge => "a port of the instance is taken once",
    };
    let message = format!(
        "`{one}` and `{other}` both take the {} port {}, and {why}",
        here.protocol, here.first
    );
    let hint = "give one of them another port";
    Violation::new(Code::PortTakenTwice, subject, message, hint)
}

/// A host port that differs from the container's in a network where they are the same.
pub(super) fn host(case: &Case<'_, '_>, found: &mut Vec<Violation>) {
    let reader = case.reader;
    let mode = match network(case) {
        Some(Network::Task) => "awsvpc",
        Some(Network::Host) => "host",
        Some(Network::Bridge) | None => return,
    };
    for container in &case.definition.containers {
        for mapping in reader.objects(container.object, "portMappings").items {
            let (Fact::Known(host), Fact::Known(port)) = (
                reader.integer(mapping, "hostPort"),
                reader.integer(mapping, "containerPort"),
            ) else {
                continue;
            };
            // 0 is the same as not stated.
            if host != 0 && host != port {
                let message = format!(
                    "the host port {host} differs from the container's port {port}, and in network mode `{mode}` they are the same"
                );
                let subject = format!("{} {host} {port}", container.label);
                let hint = "remove `hostPort`";
                let code = Code::HostPortDiffers;
                found.push(Violation::new(code, subject, message, hint).of(container));
            }
        }
    }
}
