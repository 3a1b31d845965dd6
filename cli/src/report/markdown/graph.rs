//! A task definition's containers as a [Mermaid](https://mermaid.js.org/syntax/flowchart.html) graph.

use std::collections::BTreeMap;

use super::super::run_report::{Container, TaskDefinition};
use super::escape::{fenced, label};

/// How many containers and edges are drawn: more cannot be read, and GitHub draws no more than 500 edges.
const MOST: usize = 60;

/// How a node looks. Fill, border and text are given, so that a light and a dark page show the same;
/// the shapes differ, too.
const STYLES: [(&str, &str); 5] = [
    (
        "wrapped",
        "fill:#dbeafe,stroke:#1d4ed8,stroke-width:2px,color:#172554",
    ),
    (
        "sidecar",
        "fill:#fef3c7,stroke:#b45309,stroke-width:2px,color:#451a03",
    ),
    (
        "changed",
        "fill:#dcfce7,stroke:#15803d,stroke-width:2px,color:#052e16",
    ),
    (
        "untouched",
        "fill:#f3f4f6,stroke:#6b7280,stroke-dasharray:4 3,color:#111827",
    ),
    ("missing", "fill:#fee2e2,stroke:#b91c1c,color:#450a0a"),
];

/// The graph as a block; none where there is nothing to draw, or too much.
pub(super) fn graph(task: &TaskDefinition<'_>) -> Option<String> {
    let containers = &task.containers;
    let edges = containers
        .iter()
        .map(|one| one.depends_on.len() + one.volumes_from.len());
    let edges: usize = edges.sum();
    let is_bare = edges == 0 && containers.iter().all(|one| kind(one) == Kind::Untouched);
    if is_bare || containers.len() + edges > MOST {
        return None;
    }
    let mut graph = Graph::default();
    graph.lines.push("flowchart LR".to_owned());
    for (index, container) in containers.iter().enumerate() {
        graph.node(index, container);
    }
    for (index, container) in containers.iter().enumerate() {
        for dependency in &container.depends_on {
            let words = match dependency.condition {
                "" => "waits".to_owned(),
                condition => format!("waits for {condition}"),
            };
            graph.edge(
                index,
                ("-->", &words),
                (dependency.container_name, dependency.given),
            );
        }
        for volumes in &container.volumes_from {
            let to = (volumes.source_container, volumes.given);
            graph.edge(index, ("-.->", "volumes from"), to);
        }
    }
    let is_used = |class: &str| {
        graph
            .lines
            .iter()
            .any(|line| line.ends_with(&format!(":::{class}")))
    };
    let used: Vec<_> = STYLES.iter().filter(|(class, _)| is_used(class)).collect();
    let styles = used
        .iter()
        .map(|(class, style)| format!("  classDef {class} {style}"));
    graph.lines.extend(styles);
    Some(fenced("mermaid", &graph.lines))
}

#[derive(Default)]
struct Graph<'g> {
    lines: Vec<String>,
    /// The nodes of a name: several where conditions choose between them.
    nodes: BTreeMap<&'g str, Vec<String>>,
}

impl<'g> Graph<'g> {
    fn node(&mut self, index: usize, container: &Container<'g>) {
        let kind = kind(container);
        let (open, close) = match kind {
            Kind::Wrapped => ("[[", "]]"),
            Kind::Sidecar => ("([", "])"),
            Kind::Changed | Kind::Untouched => ("[", "]"),
        };
        let name = label(container.name, 60);
        let class = kind.class();
        let words = match container.given {
            Some(given) => format!("{}, when {}", kind.words(), label(given, 60)),
            None => kind.words().to_owned(),
        };
        let id = format!("c{index}");
        self.lines.push(format!(
            "  {id}{open}\"{name}<br/>{words}\"{close}:::{class}"
        ));
        self.nodes.entry(container.name).or_default().push(id);
    }

    fn edge(
        &mut self,
        from: usize,
        (arrow, words): (&str, &str),
        (to, given): (&'g str, Option<&str>),
    ) {
        let given = given.map(|given| format!(" when {given}"));
        let words = label(&format!("{words}{}", given.unwrap_or_default()), 80);
        if !self.nodes.contains_key(to) {
            let id = format!("m{}", self.nodes.len());
            let name = label(to, 60);
            self.lines
                .push(format!("  {id}[/\"{name}<br/>not there\"/]:::missing"));
            self.nodes.insert(to, vec![id]);
        }
        for id in self.nodes.get(to).into_iter().flatten() {
            self.lines
                .push(format!("  c{from} {arrow}|\"{words}\"| {id}"));
        }
    }
}

/// What became of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Wrapped,
    Sidecar,
    Changed,
    Untouched,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Kind::Wrapped => "wrapped",
            Kind::Sidecar => "sidecar",
            Kind::Changed => "changed",
            Kind::Untouched => "untouched",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Kind::Wrapped => "wrapped",
            Kind::Sidecar => "sidecar",
            Kind::Changed => "changed",
            Kind::Untouched => "untouched",
        }
    }
}

pub(super) fn kind(container: &Container<'_>) -> Kind {
    match (container.sidecar, container.wrapped) {
        (Some(true), _) => Kind::Sidecar,
        (_, Some(true)) => Kind::Wrapped,
        _ if !container.changes.is_empty() => Kind::Changed,
        _ => Kind::Untouched,
    }
}
