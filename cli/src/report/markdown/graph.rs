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
        for edge in &edges_of(container) {
            graph.edge(index, edge);
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

    fn edge(&mut self, from: usize, edge: &Edge<'g>) {
        if !self.nodes.contains_key(edge.to) {
            let id = format!("m{}", self.nodes.len());
            let name = label(edge.to, 60);
            self.lines
                .push(format!("  {id}[/\"{name}<br/>not there\"/]:::missing"));
            self.nodes.insert(edge.to, vec![id]);
        }
        let arrow = match edge.waits.is_empty() {
            true => "-.->",
            false => "-->",
        };
        let words = edge.words();
        for id in self.nodes.get(edge.to).into_iter().flatten() {
            self.lines
                .push(format!("  c{from} {arrow}|\"{words}\"| {id}"));
        }
    }
}

/// How a container hangs on another one.
struct Edge<'g> {
    to: &'g str,
    /// Under which conditions.
    given: Option<&'g str>,
    /// What it waits for.
    waits: Vec<&'g str>,
    /// Whether it mounts the other's volumes.
    mounts: bool,
}

impl Edge<'_> {
    fn words(&self) -> String {
        let waits = self.waits.iter().map(|condition| match *condition {
            "" => "waits".to_owned(),
            condition => format!("waits for {}", label(condition, 60)),
        });
        let mounts = self.mounts.then(|| "volumes from".to_owned());
        let given = self.given.map(|given| format!("when {}", label(given, 60)));
        let lines: Vec<String> = waits.chain(mounts).chain(given).collect();
        lines.join("<br/>")
    }
}

/// One edge to each container, whatever the reasons.
fn edges_of<'g>(container: &Container<'g>) -> Vec<Edge<'g>> {
    let waits = container.depends_on.iter();
    let waits = waits.map(|one| (one.container_name, one.given, Some(one.condition)));
    let mounts = container.volumes_from.iter();
    let mounts = mounts.map(|one| (one.source_container, one.given, None));
    let mut edges: Vec<Edge<'g>> = Vec::new();
    for (to, given, condition) in waits.chain(mounts) {
        let known = edges
            .iter()
            .position(|edge| (edge.to, edge.given) == (to, given));
        let known = known.unwrap_or_else(|| {
            let (waits, mounts) = (Vec::new(), false);
            edges.push(Edge {
                to,
                given,
                waits,
                mounts,
            });
            edges.len() - 1
        });
        if let Some(edge) = edges.get_mut(known) {
            edge.mounts |= condition.is_none();
            edge.waits.extend(condition);
        }
    }
    edges
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
