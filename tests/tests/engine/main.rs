//! The promise, kept by a real container engine: the program that runs after the rewrite is given what
//! it was given before, and what the recipe adds.
//!
//! Images are made of one static program that writes what it was given ([`subjects`]), and tasks are
//! combined with them ([`cases`]). Each is rewritten by the real program with each recipe in each of
//! its arrangements ([`ways`]), from a lock file that says what the engine says of the images. Then the
//! containers run ([`runs`]), before and after, and what the programs wrote is compared ([`judge`]).
//!
//! Without more, some of the combinations of each way run, others for each; `OUTRIGGER_ENGINE=full`
//! runs all of them, `OUTRIGGER_ENGINE="lacework nonRoot=sudo"` all of that way. Needs `dockerd`,
//! a static `busybox`, and root.

#![cfg(test)]

mod cases;
mod judge;
mod runs;
mod subjects;
mod table;
mod ways;

use std::fs;
use std::process::Command;

use cases::{Case, Rewritten, cases, overrides, rewrite};
use judge::{Expected, differences};
use outrigger_tests::servers::{Ended, Engine};
use runs::{Runs, Sidecars, request_of_first};
use serde_json::{Map, Value, json};
use subjects::{Files, Subject, subjects};
use table::{Row, print_table};
use ways::{Before, DEEPFENCE, LACEWORK, PRISMA_CLOUD, SYSDIG, WAYS, Way};

/// Of so many combinations one runs; no divisor of the number of an image's combinations.
const STRIDE: usize = 17;
/// The same for those with a command that is replaced at run time, of which there are more.
const STRIDE_OF_OVERRIDES: usize = 53;

/// An engine with all images, and their configs.
struct World {
    engine: Engine,
    subjects: Vec<(Subject, Value)>,
}

impl World {
    fn subject(&self, name: &str) -> &(Subject, Value) {
        let mut subjects = self.subjects.iter();
        subjects.find(|(subject, _)| subject.name == name).unwrap()
    }
}

/// With the images of these names; `None` where a tool is not installed.
fn world_of(wanted: &[&str]) -> Option<World> {
    let files = Files::new()?;
    let engine = Engine::start().unwrap()?;
    let subjects = subjects().into_iter();
    let subjects = subjects.filter(|subject| wanted.contains(&subject.name));
    let subjects = subjects.map(|subject| {
        let config = files.import(&engine, &subject);
        (subject, config)
    });
    let subjects: Vec<_> = subjects.collect();
    assert_eq!(subjects.len(), wanted.len());
    for vendor in [DEEPFENCE, LACEWORK, PRISMA_CLOUD, SYSDIG] {
        files.import_sidecar(&engine, &vendor);
    }
    Some(World { engine, subjects })
}

/// Two containers to compare.
struct Pair {
    what: String,
    before: Value,
    after: Value,
    expected: Expected,
}

impl Pair {
    /// A case, and what its containers have become.
    fn new(
        engine: &Engine,
        sidecars: &mut Sidecars,
        case: &Case<'_>,
        way: &Way,
        containers: &[Map<String, Value>],
    ) -> Self {
        let process = case.process();
        let mut container = case.container();
        // Where the recipe says that the container runs as root, that is what is compared with.
        if way.becomes_root(case) {
            container.insert("user".to_owned(), json!("root"));
        }
        Self {
            what: format!("{}, by {}", case.shown(), way.name()),
            before: request_of_first(engine, sidecars, &[container]),
            after: request_of_first(engine, sidecars, containers),
            expected: Expected {
                wrappers: way.wrappers(case, &process),
                process,
                becomes_the_program: way.before(case) == Before::Wrapper,
                variables: way.variables(),
                traces: way.traces(case),
            },
        }
    }
}

/// A way with all cases: the row, and the pairs to run.
fn pairs(
    world: &World,
    sidecars: &mut Sidecars,
    all: &[Case<'_>],
    number: usize,
) -> [(Row, Vec<Pair>); 2] {
    let way = &WAYS[number];
    let (mut row, mut row_of_overrides) = (
        Row::new(way.name()),
        Row::new(format!("{}, command replaced", way.name())),
    );
    let (mut pairs, mut pairs_of_overrides) = (Vec::new(), Vec::new());
    for (position, (case, rewritten)) in all.iter().zip(rewrite(all, way)).enumerate() {
        let chosen =
            |position: usize, stride| all_of(way) || (position + number).is_multiple_of(stride);
        row.combinations += 1;
        let containers = match rewritten {
            Rewritten::Containers(containers) => containers,
            Rewritten::Refused(codes) => {
                assert_eq!(
                    way.refused(case),
                    Some(codes.as_str()),
                    "{}, by {}",
                    case.shown(),
                    way.name()
                );
                row.refuse(&codes);
                continue;
            }
        };
        assert_eq!(
            way.refused(case),
            None,
            "{}, by {}",
            case.shown(),
            way.name()
        );
        if chosen(position, STRIDE) {
            pairs.push(Pair::new(&world.engine, sidecars, case, way, &containers));
        }
        if !way.keeps_the_command() {
            continue;
        }
        for command in overrides() {
            row_of_overrides.combinations += 1;
            if chosen(row_of_overrides.combinations, STRIDE_OF_OVERRIDES) {
                let mut containers = containers.clone();
                containers[0].insert("command".to_owned(), command.clone());
                let case = case.with_command(&command);
                pairs_of_overrides.push(Pair::new(
                    &world.engine,
                    sidecars,
                    &case,
                    way,
                    &containers,
                ));
            }
        }
    }
    [(row, pairs), (row_of_overrides, pairs_of_overrides)]
}

/// Whether all combinations of a way are to run.
fn all_of(way: &Way) -> bool {
    let wanted = std::env::var("OUTRIGGER_ENGINE").unwrap_or_default();
    wanted == "full" || wanted == way.name()
}

#[test]
fn what_runs_after_the_rewrite_ran_before() {
    let Some(world) = world_of(
        &subjects()
            .iter()
            .map(|subject| subject.name)
            .collect::<Vec<_>>(),
    ) else {
        return;
    };
    let all = cases(&world.subjects);
    let mut sidecars = Sidecars::default();
    let rows = (0..WAYS.len()).flat_map(|way| pairs(&world, &mut sidecars, &all, way));
    let mut rows: Vec<(Row, Vec<Pair>)> = rows.filter(|(row, _)| row.combinations > 0).collect();
    let requests = rows
        .iter()
        .flat_map(|(_, pairs)| pairs)
        .flat_map(|pair| [&pair.before, &pair.after]);
    let runs = Runs::of(&world.engine, requests);
    let mut broken = Vec::new();
    for (row, pairs) in &mut rows {
        for pair in pairs.iter() {
            let (before, after) = (runs.ended(&pair.before), runs.ended(&pair.after));
            let differences = differences(before, after, &pair.expected);
            row.count(before, differences.is_empty());
            if !differences.is_empty() {
                broken.push(format!("{}\n  {}", pair.what, differences.join("\n  ")));
            }
        }
    }
    println!(
        "{}: {} images, {} containers",
        world.engine.versions().unwrap(),
        world.subjects.len(),
        runs.count()
    );
    print_table(rows.iter().map(|(row, _)| row));
    let shown: Vec<&String> = broken.iter().take(20).collect();
    assert!(broken.is_empty(), "{} differ: {shown:#?}", broken.len());
}

/// A program that says that it is ready, and ends with this code when it is asked to.
const ENDS_WHEN_ASKED: &str = "trap 'exit 42' TERM; sleep 600 & echo ready; wait";
/// The whole line, which does not stand in the arguments that a wrapper writes.
const READY: &str = "ready\n";
/// What a program has after it was asked, before it is killed.
const SECONDS: u32 = 120;

/// How this program ends when it is asked to, before the rewrite and after it.
fn asked_to_end(engine: &Engine, case: &Case<'_>, way: &Way) -> [Ended; 2] {
    let mut sidecars = Sidecars::default();
    let Some(Rewritten::Containers(after)) = rewrite(std::slice::from_ref(case), way).pop() else {
        panic!("{}, refused by {}", case.shown(), way.name());
    };
    [vec![case.container()], after].map(|containers| {
        let request = request_of_first(engine, &mut sidecars, &containers);
        engine.stop(&request, READY, SECONDS).unwrap()
    })
}

#[test]
fn signals_reach_the_program() {
    let Some(world) = world_of(&["both", "user"]) else {
        return;
    };
    for way in &WAYS {
        // One runs as root; the other does not, so that a shell may stand before it.
        for name in ["both", "user"] {
            let case = Case::of_program(world.subject(name), &["/bin/sh", "-c", ENDS_WHEN_ASKED]);
            if way.refused(&case).is_some() {
                continue;
            }
            for ended in asked_to_end(&world.engine, &case, way) {
                assert!(
                    matches!(ended, Ended::Exited { code: 42, .. }),
                    "{}, by {}: {ended:?}",
                    case.shown(),
                    way.name()
                );
            }
        }
    }
    // Behind a process that does not become the program, no signal would reach it.
    let script = format!("sh -c '{}'; true", ENDS_WHEN_ASKED.replace('\'', "'\\''"));
    let case = Case::of_program(world.subject("both"), &["/bin/sh", "-c", &script]);
    let request = request_of_first(&world.engine, &mut Sidecars::default(), &[case.container()]);
    let ended = world.engine.stop(&request, READY, 1).unwrap();
    assert!(
        matches!(ended, Ended::Exited { code: 137, .. }),
        "{ended:?}"
    );
}

/// What goes wrong in a rewrite, and what is then said to differ.
type Mistake = (&'static str, fn(&mut Map<String, Value>));

const MISTAKES: [Mistake; 8] = [
    ("argv:", |container| drop(container.remove("command"))),
    ("argv:", |container| container["command"] = json!(["$HOME"])),
    ("the wrapper was started as", |container| {
        container["entryPoint"] = json!(["/opt/draios/bin/instrument", "first"]);
    }),
    ("user:", |container| container["user"] = json!("0")),
    ("variable lost:", |container| {
        container["environment"] = json!([])
    }),
    ("variable added, or not added:", |container| {
        drop(container.remove("secrets"))
    }),
    ("directory:", |container| {
        drop(container.remove("workingDirectory"))
    }),
    ("capabilities:", |container| {
        drop(container.remove("linuxParameters"))
    }),
];

#[test]
fn what_differs_is_seen() {
    let Some(world) = world_of(&["task-settings"]) else {
        return;
    };
    let case = Case::of_program(world.subject("task-settings"), &["/probe", "word"]);
    let way = WAYS.iter().find(|way| way.name() == "sysdig").unwrap();
    let Some(Rewritten::Containers(right)) = rewrite(std::slice::from_ref(&case), way).pop() else {
        panic!("{}, refused by {}", case.shown(), way.name());
    };
    let mut sidecars = Sidecars::default();
    let mut differ = |containers: &[Map<String, Value>]| {
        let pair = Pair::new(&world.engine, &mut sidecars, &case, way, containers);
        let runs = Runs::of(&world.engine, [&pair.before, &pair.after]);
        differences(
            runs.ended(&pair.before),
            runs.ended(&pair.after),
            &pair.expected,
        )
    };
    assert_eq!(differ(&right), [""; 0]);
    for (says, mistake) in MISTAKES {
        let mut wrong = right.clone();
        mistake(&mut wrong[0]);
        let said = differ(&wrong);
        assert!(
            said.iter().any(|line| line.starts_with(says)),
            "{says} {said:#?}"
        );
    }
}

/// Why a program behind a shell is refused for such a name.
#[test]
fn a_shell_drops_variables_whose_names_it_does_not_have() {
    let Some(world) = world_of(&["entry-point"]) else {
        return;
    };
    let container = |entry_point: &[&str]| {
        json!({
            "Image": world.subject("entry-point").0.image(),
            "Entrypoint": entry_point,
            "Env": ["app.name=a", "app_name=a"],
            "HostConfig": {"NetworkMode": "none"},
        })
    };
    for (entry_point, passed_on) in [
        (&["/probe"][..], true),
        (&["sh", "-c", "exec /probe"], false),
    ] {
        let ended = world.engine.run(&container(entry_point)).unwrap();
        let Ended::Exited { output, .. } = ended else {
            panic!("{ended:?}");
        };
        assert!(output.contains(r#""app_name=a""#), "{output}");
        assert_eq!(output.contains(r#""app.name=a""#), passed_on, "{output}");
    }
}

#[test]
fn nothing_stays_behind() {
    let Some(world) = world_of(&["both"]) else {
        return;
    };
    let folder = world.engine.folder().to_owned();
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let sleeps = json!({"Image": "engine.test/both:1", "Entrypoint": ["/bin/sleep", "600"], "Cmd": [], "HostConfig": {"NetworkMode": "none"}});
    world.engine.start_container(&sleeps).unwrap();
    assert!(traces(&name) > 0, "a running engine is not seen");
    assert!(
        !fs::read_to_string("/proc/self/mountinfo")
            .unwrap()
            .contains(&name)
    );
    drop(world);
    assert_eq!(traces(&name), 0);
    assert!(!folder.exists());
}

/// How many processes and control groups there are of an engine.
fn traces(name: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|process| {
        let process = process.ok()?.path();
        let line = fs::read(process.join("cmdline")).ok()?;
        let groups = fs::read_to_string(process.join("cgroup")).ok()?;
        (String::from_utf8_lossy(&line).contains(name) || groups.contains(name)).then_some(())
    });
    let groups = Command::new("find")
        .args(["/sys/fs/cgroup", "-type", "d", "-name", name])
        .output();
    let groups = String::from_utf8_lossy(&groups.unwrap().stdout)
        .lines()
        .count();
    processes.count() + groups
}
