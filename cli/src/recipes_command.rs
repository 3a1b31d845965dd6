//! `recipes list` and `recipes show`.

use clap::Subcommand;
use serde_json::Value;
use taskdef::recipe::{InputDeclaration, InputType, Recipe, builtin};

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
}

/// Answers on standard output.
pub fn run(command: &RecipesCommand, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let paint = console.terminals.stdout;
    let answer = match command {
        RecipesCommand::List => list(paint)?,
        RecipesCommand::Show { recipe } => show(&recipes::load(recipe)?, paint),
    };
    console.print(answer.as_bytes())?;
    Ok(Exit::Done)
}

fn list(paint: Paint) -> Result<String, Failure> {
    let mut rows = Vec::new();
    for (name, text) in builtin() {
        let recipe = recipes::parse_builtin(name, text)?;
        rows.push(vec![(*name).to_owned(), recipe.description().trim_end().to_owned()]);
    }
    let mut shown = String::new();
    push_table(&mut shown, "", None, &rows, paint);
    Ok(shown)
}

fn show(recipe: &Recipe, paint: Paint) -> String {
    let description = text::lines(recipe.description(), "  ");
    let mut shown = format!("{}\n  {description}\n\n", paint.strong(text::line(recipe.name())));
    let heading = ["input", "type", "required", "default", "allowed", "description"];
    let rows: Vec<Vec<String>> = recipe.declarations().iter().map(row).collect();
    push_table(&mut shown, "  ", Some(&heading), &rows, paint);
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

fn row(input: &InputDeclaration) -> Vec<String> {
    let kind = match input.kind {
        _ if input.secret => "secret",
        InputType::Text => "text",
        InputType::Integer => "number",
        InputType::Boolean => "boolean",
        InputType::List => "list",
    };
    let required = match (&input.required_when, input.required) {
        (_, true) => "yes".to_owned(),
        (Some(condition), false) => format!("when {condition}"),
        (None, false) => "no".to_owned(),
    };
    let default = match &input.default {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(value) => value.to_string(),
    };
    let mut description = input.description.trim_end().to_owned();
    if let Some(condition) = &input.forbidden_when {
        description.push_str(&format!(" (forbidden when {condition})"));
    }
    vec![input.name.clone(), kind.to_owned(), required, default, input.allowed.join(", "), description]
}

/// Columns as wide as they have to be; the first is what is looked for.
fn push_table(shown: &mut String, indent: &str, heading: Option<&[&str]>, rows: &[Vec<String>], paint: Paint) {
    let heading = heading.map(|cells| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
    let mut widths = Vec::new();
    for cells in heading.iter().chain(rows) {
        widths.resize(cells.len().max(widths.len()), 0);
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.chars().count().max(*width);
        }
    }
    let row = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| {
            let cell = if cell.is_empty() { "-".to_owned() } else { text::line(cell) };
            format!("{cell:width$}")
        });
        padded.collect::<Vec<_>>()
    };
    if let Some(heading) = &heading {
        shown.push_str(&format!("{indent}{}\n", paint.faint(row(heading).join("  ").trim_end())));
    }
    for cells in rows {
        let line = row(cells);
        if let Some((first, rest)) = line.split_first() {
            shown.push_str(&format!("{indent}{}  {}\n", paint.strong(first), rest.join("  ").trim_end()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{list, push_table, show};
    use crate::{Paint, recipes};

    #[test]
    fn columns_are_as_wide_as_they_have_to_be() {
        let mut shown = String::new();
        let rows = [["a", "long text"], ["longer", ""]].map(|row| row.map(str::to_owned).to_vec());
        push_table(&mut shown, "  ", Some(&["name", "text"]), &rows, Paint::Plain);
        insta::assert_snapshot!(shown, @"");
    }

    #[test]
    fn the_list_names_and_describes() {
        insta::assert_snapshot!(list(Paint::Plain).unwrap(), @"");
    }

    #[test]
    fn a_recipe_is_shown_with_what_it_needs() {
        insta::assert_snapshot!(show(&recipes::load("alert-logic").unwrap(), Paint::Plain), @"");
    }
}
