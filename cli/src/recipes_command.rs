//! `recipes list`, `recipes show`, and what helps whoever writes one.

use clap::Subcommand;
use serde_json::Value;
use taskdef::recipe::{InputDeclaration, InputType, Recipe, builtin};

use crate::recipes_check::check;
use crate::report::{Section, push_section};
use crate::{Console, Exit, Failure, Paint, recipes, text};

/// What can be asked about recipes.
#[derive(Subcommand, Clone, Debug)]
pub enum RecipesCommand {
    /// List the built-in recipes
    List,
    /// Show a recipe: its inputs, what it needs, and where it is documented
    Show {
        /// Name of a built-in recipe, or a file
        #[arg(value_name = "NAME|FILE")]
        recipe: String,
    },
    /// Check recipes, and try them on sample task definitions
    ///
    /// Loads each recipe and rewrites built-in task definitions by it: images with and without entry
    /// point, users, architectures, conditions. Inputs that are missing are made up; then every other
    /// value of an input is tried as well. Exit code 1: a recipe cannot be read; 3: a recipe does
    /// not do what it has to.
    Check {
        /// Name of a built-in recipe, or a file; may be repeated
        #[arg(value_name = "NAME|FILE", required = true)]
        recipe: Vec<String>,

        /// Input of a recipe (see `recipes show`); with several recipes that take it, RECIPE.KEY=VALUE; may be repeated
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
    },
    /// Print a recipe to start from
    New {
        /// Name of the recipe: lower-case letters, digits, hyphens
        name: String,
    },
    /// Print the JSON Schema of recipes, for an editor
    Schema,
}

/// The JSON Schema of recipes.
const SCHEMA: &str = include_str!("../../templates/recipe.schema.json");

/// A recipe to start from, named `NAME`.
const SKELETON: &str = include_str!("recipe_skeleton.yaml");

/// Answers on standard output.
pub fn run(command: &RecipesCommand, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let paint = console.terminals.stdout;
    let answer = match command {
        RecipesCommand::List => list(paint)?,
        RecipesCommand::Show { recipe } => show(&recipes::load(recipe)?, paint),
        RecipesCommand::Check { recipe, set } => return check(recipe, set, console),
        RecipesCommand::New { name } => skeleton(name)?,
        RecipesCommand::Schema => SCHEMA.to_owned(),
    };
    console.print(answer.as_bytes())?;
    Ok(Exit::Done)
}

/// A recipe with this name to start from; it is read before it is given away.
fn skeleton(name: &str) -> Result<String, Failure> {
    let text = SKELETON.replace("NAME", name);
    match Recipe::parse(name, &text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::usage(error.message)),
    }
}

fn list(paint: Paint) -> Result<String, Failure> {
    let mut rows = Vec::new();
    for (name, text) in builtin() {
        let recipe = recipes::parse_builtin(name, text)?;
        rows.push(vec![
            (*name).to_owned(),
            text::line(recipe.description().trim_end()),
        ]);
    }
    let mut shown = String::new();
    let widths = widths(rows.iter());
    for cells in &rows {
        push_row(&mut shown, "", cells, &widths, paint);
    }
    Ok(shown)
}

fn show(recipe: &Recipe, paint: Paint) -> String {
    let description = text::lines(recipe.description(), "  ");
    let mut shown = format!(
        "{}\n  {description}\n\n",
        paint.strong(text::line(recipe.name()))
    );
    push_inputs(&mut shown, recipe.declarations(), paint);
    shown.push('\n');
    let documentation = Section {
        heading: "documentation".to_owned(),
        lines: recipe.documentation().to_vec(),
    };
    let mut sections = recipes::sections(recipe.permissions());
    sections.push(documentation);
    for section in &sections {
        push_section(&mut shown, section, paint);
    }
    shown.truncate(shown.trim_end().len());
    shown.push('\n');
    shown
}

/// A table of the inputs, and under each row what has no room in a column.
fn push_inputs(shown: &mut String, inputs: &[InputDeclaration], paint: Paint) {
    let heading = ["input", "type", "required", "default"]
        .map(str::to_owned)
        .to_vec();
    let rows: Vec<Vec<String>> = inputs.iter().map(row).collect();
    let widths = widths(rows.iter().chain([&heading]));
    shown.push_str(&format!(
        "  {}\n",
        paint.faint(padded(&heading, &widths).join("  ").trim_end())
    ));
    for (input, cells) in inputs.iter().zip(&rows) {
        push_row(shown, "  ", cells, &widths, paint);
        shown.push_str(&format!(
            "      {}\n",
            text::lines(&input.description, "      ")
        ));
        let conditions = [
            (!input.allowed.is_empty()).then(|| format!("allowed: {}", allowed(input))),
            input
                .required_when
                .as_ref()
                .map(|condition| format!("required when {condition}")),
            input
                .forbidden_when
                .as_ref()
                .map(|condition| format!("forbidden when {condition}")),
        ];
        for condition in conditions.iter().flatten() {
            shown.push_str(&format!("      {}\n", paint.faint(text::line(condition))));
        }
    }
}

/// The values that are allowed; the empty text can be seen.
fn allowed(input: &InputDeclaration) -> String {
    let shown = |value: &String| match value.is_empty() {
        true => r#""""#.to_owned(),
        false => value.clone(),
    };
    let values: Vec<String> = input.allowed.iter().map(shown).collect();
    values.join(", ")
}

fn row(input: &InputDeclaration) -> Vec<String> {
    let kind = match input.kind {
        _ if input.secret => "secret",
        InputType::Text => "text",
        InputType::Integer | InputType::Size => "number",
        InputType::Port => "port",
        InputType::Boolean => "boolean",
        InputType::List => "list",
    };
    let required = match (&input.required_when, input.required) {
        (_, true) => "yes",
        (Some(_), false) => "see below",
        (None, false) => "no",
    };
    let default = match &input.default {
        Some(Value::Null) | None => "-".to_owned(),
        Some(Value::String(text)) if !text.is_empty() => text::line(text),
        Some(value) => text::line(&value.to_string()),
    };
    vec![
        input.name.clone(),
        kind.to_owned(),
        required.to_owned(),
        default,
    ]
}

/// One long cell does not move everything; and no column can be wider than 65,535.
const WIDTH_MAX: usize = 80;

/// How wide each column has to be.
fn widths<'r>(rows: impl Iterator<Item = &'r Vec<String>>) -> Vec<usize> {
    let mut widths = Vec::new();
    for cells in rows {
        widths.resize(cells.len().max(widths.len()), 0);
        for (width, cell) in widths.iter_mut().zip(cells) {
            let length = cell.chars().count();
            *width = (*width).max(if length > WIDTH_MAX { 0 } else { length });
        }
    }
    widths
}

fn padded(cells: &[String], widths: &[usize]) -> Vec<String> {
    cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:width$}"))
        .collect()
}

/// One row, whose first cell is what a reader looks for.
fn push_row(shown: &mut String, indent: &str, cells: &[String], widths: &[usize], paint: Paint) {
    if let Some((first, rest)) = padded(cells, widths).split_first() {
        let rest = rest.join("  ");
        shown.push_str(&format!(
            "{indent}{}  {}\n",
            paint.strong(first),
            rest.trim_end()
        ));
    }
}

#[cfg(test)]
mod tests {
    use taskdef::recipe::{Recipe, builtin};

    use super::{list, show};
    use crate::{Paint, recipes};

    #[test]
    fn the_list_names_and_describes() {
        let list = list(Paint::Plain).unwrap();
        for ((name, _), line) in builtin().iter().zip(list.lines()) {
            let recipe = recipes::load(name).unwrap();
            let (listed, description) = line.split_once("  ").unwrap();
            assert_eq!(
                (listed, description.trim_start()),
                (*name, recipe.description())
            );
        }
        assert_eq!(list.lines().count(), builtin().len());
    }

    #[test]
    fn every_recipe_can_be_shown() {
        for (name, _) in builtin() {
            let shown = show(&recipes::load(name).unwrap(), Paint::Plain);
            assert!(
                shown.starts_with(&format!("{name}\n")) && !shown.ends_with("\n\n"),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_default_of_any_length_is_shown() {
        let text = format!(
            "recipe: 1\nname: probe\ndescription: an agent\ndocumentation: [https://vendor.example]\n\
             agentImages: [vendor/probe]\ninputs:\n  image:\n    default: \"{}\"\n\
             sidecars:\n  - name: probe\n    settings: {{essential: true}}\n",
            "x".repeat(70_000)
        );
        let recipe = Recipe::parse("probe.yaml", &text).unwrap();
        let shown = show(&recipe, Paint::Plain);
        let head = "  input                     type     required  default\n";
        assert!(shown.contains(head), "{shown}");
        assert!(shown.contains(&"x".repeat(70_000)));
    }

    #[test]
    fn a_recipe_is_shown_with_what_it_needs() {
        insta::assert_snapshot!(show(&recipes::load("alert-logic").unwrap(), Paint::Plain), @r#"
        alert-logic
          Alert Logic agent container for AWS Fargate, as a sidecar in every task

          input                     type     required   default
          deployment                text     no         mdr
              the Alert Logic product: managed detection and response, or Cloud Defender with the full or the minimal permission policy
              allowed: mdr, defender-full, defender-minimal
          key                       secret   see below  -
              registration key, for Cloud Defender with the minimal permission policy
              required when inputs.deployment == "defender-minimal"
              forbidden when inputs.deployment != "defender-minimal"
          image                     text     no         alertlogic/al-agent-container:latest
              image of the agent
          sidecarCpu                number   no         -
              CPU units of the sidecar
          sidecarMemory             number   no         -
              memory limit of the sidecar, in MiB
          sidecarMemoryReservation  number   no         -
              memory kept for the sidecar, in MiB
          sidecarEssential          boolean  no         -
              whether the task stops when the sidecar stops
          registryCredentials       text     no         -
              ARN of the secret with which ECS pulls the agent's image
          executionRole             text     no         -
              ARN of the task execution role, for a task definition that has none

        the task execution role needs
          `secretsmanager:GetSecretValue` or `ssm:GetParameters` for the registration key, when it comes from a secret store
            https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html

        the vendor's own role needs
          Alert Logic's discovery role: `ecs:Describe*`, `ecs:List*`, `workspaces:Describe*`, `workspaces:List*`
            https://github.com/alertlogic/al-agent-container/blob/master/fargate/README.md

        prerequisites
          a deployment in the Alert Logic console, and for Cloud Defender an appliance
            https://github.com/alertlogic/al-agent-container/blob/master/README.md

        documentation
          https://github.com/alertlogic/al-agent-container/blob/master/fargate/README.md
        "#);
    }
}
