//! Which containers run a vendor's agent: the image decides, and a container's name alone does not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloudformation::intrinsic::Assignment;
use crate::container::View;
use crate::dialect::Dialect;
use crate::report::Code;
use crate::settings::KnownAgent;

use super::select::{each_branch, repository};
use super::{Refusal, Task};

/// Whether a container runs an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    /// It does.
    Agent,
    /// It runs something else.
    Another,
    /// It does for some branches or items only, or its image is not known for all of them.
    NotCertain,
}

/// The repositories that a container's image can come from; nothing for one that is not known.
struct Repositories(Vec<Option<String>>);

impl Repositories {
    fn of(task: &Task<'_>, container: View<'_>) -> Repositories {
        let mut found = Vec::new();
        if let Some(image) = container.get("image") {
            each_branch(image, &mut |image| found.extend(each_item(task, image)));
        }
        Repositories(found)
    }

    fn known(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(String::as_str)
    }

    /// What these say about a container, where `is_agent` tells an agent's repository.
    fn runs(&self, is_agent: impl Fn(&str) -> bool) -> Runs {
        let agents = self.known().filter(|known| is_agent(known)).count();
        match (agents, self.known().count()) {
            (_, known) if known < self.0.len() => Runs::NotCertain,
            (0, _) => Runs::Another,
            (agents, known) if agents == known => Runs::Agent,
            _ => Runs::NotCertain,
        }
    }
}

/// The repositories of an image for the items of the loops.
fn each_item(task: &Task<'_>, image: &Value) -> BTreeSet<Option<String>> {
    let given = Assignment::new();
    let texts = task.evaluations(true, &given).map(|evaluation| {
        let text = evaluation.text(image, &mut BTreeSet::new()).ok()?;
        Some(repository(&text).to_owned())
    });
    texts.collect()
}

/// Whether a repository is one of these, on whatever host and under whatever prefix.
fn is_one_of(found: &str, agents: &[String]) -> bool {
    agents.iter().any(|agent| {
        let prefix = found.strip_suffix(agent.as_str());
        prefix.is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('/'))
    })
}

/// Whether a repository is one of these or a mirror of one, which has at least its last name.
/// That is enough only where the container's name speaks for the agent, too.
fn is_mirror_of_one_of(found: &str, agents: &[String]) -> bool {
    let last = |repository: &str| repository.rsplit('/').next().map(str::to_owned);
    agents.iter().any(|agent| last(agent) == last(found))
}

/// Whether a container runs, perhaps under a condition only, an agent of these repositories.
pub(crate) fn may_run_one_of(task: &Task<'_>, container: View<'_>, agents: &[String]) -> bool {
    let repositories = Repositories::of(task, container);
    repositories.known().any(|known| is_one_of(known, agents))
}

/// Refuses a container with the name of the recipe's sidecar that does not run the agent.
pub(crate) fn check_own_sidecar(
    task: &Task<'_>,
    container: View<'_>,
    name: &str,
) -> Result<(), Refusal> {
    let mut agents = task.recipe.recipe().agent_repositories().to_vec();
    // What the recipe would add; a sidecar that cannot be rendered is refused where it is needed.
    let names = task.recipe.recipe().sidecar_names();
    let index = names.iter().position(|known| *known == name);
    let sidecar = index.and_then(|index| task.rendered.sidecar(index, &task.facts, &[]).ok());
    if let Some(sidecar) = &sidecar {
        // As recipes are written, whatever the document's dialect.
        let wanted = View::new(Dialect::Ecs, &sidecar.definition);
        if wanted.get("image").is_some() && wanted.get("image") == container.get("image") {
            return Ok(());
        }
        let wanted = Repositories::of(task, wanted);
        agents.extend(wanted.known().map(str::to_owned));
    }
    let repositories = Repositories::of(task, container);
    let what = match repositories.runs(|known| is_mirror_of_one_of(known, &agents)) {
        Runs::Agent => return Ok(()),
        Runs::Another => "but runs another image",
        Runs::NotCertain => "and it is not certain that it runs the agent's image",
    };
    Err(Refusal::new(
        Code::ForeignInstrumentation,
        format!("a container has the name of the recipe's sidecar, {what}"),
        "give that container another name",
    ))
}

/// Whether a container is the sidecar of another recipe that is known.
///
/// One that has the name of such a sidecar and an image that is not certain is refused: it may be the
/// agent, which must not be wrapped, or the workload's program, which must not be left out.
pub(crate) fn is_sidecar_of(
    task: &Task<'_>,
    container: View<'_>,
    name: Option<&str>,
    known: &KnownAgent,
) -> Result<bool, Refusal> {
    let agents = &known.repositories;
    let is_named = name.is_some_and(|name| known.sidecars.iter().any(|sidecar| sidecar == name));
    let repositories = Repositories::of(task, container);
    let runs = repositories.runs(|found| match is_named {
        true => is_mirror_of_one_of(found, agents),
        false => is_one_of(found, agents),
    });
    match runs {
        Runs::Agent => Ok(true),
        Runs::Another => Ok(false),
        Runs::NotCertain if is_named || may_run_one_of(task, container, agents) => {
            Err(Refusal::new(
                Code::ForeignInstrumentation,
                format!(
                    "it is not certain whether the container runs the agent of the recipe `{}`, which is never wrapped",
                    known.recipe
                ),
                "write its image as text; a container that runs something else needs another name",
            ))
        }
        Runs::NotCertain => Ok(false),
    }
}
