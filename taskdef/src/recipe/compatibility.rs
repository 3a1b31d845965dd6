//! Versions that work together, as the vendor documents them.

use serde_json::Value;

use super::Note;
use super::compile::Compiler;
use super::error::RecipeError;
use super::file::CompatibilityFile;
use super::input::{BoundInputs, InputDeclaration, InputType, InputValue};

/// Inputs that hold versions, and the combinations that the vendor documents.
pub(super) struct Compatibility {
    inputs: Vec<String>,
    /// A version for each of the inputs; it stands for itself and for all that continue it.
    versions: Vec<Vec<String>>,
    link: Option<String>,
}

impl Compatibility {
    /// Checks that the inputs are there, and that every combination has a version for each.
    pub(super) fn load(
        compiler: &Compiler,
        file: CompatibilityFile,
        declarations: &[InputDeclaration],
    ) -> Result<Compatibility, RecipeError> {
        let place = compiler.place_of(&file.inputs);
        if file.inputs.value.len() < 2 {
            let message = "`inputs` names two or more inputs whose versions have to fit";
            return Err(RecipeError::new(place, message));
        }
        for name in &file.inputs.value {
            let declared = declarations.iter().find(|input| input.name == *name);
            let Some(declared) = declared else {
                let known = declarations.iter().map(|input| input.name.as_str());
                let error = RecipeError::new(place, format!("unknown input `{name}`"));
                return Err(error.near(name, known));
            };
            if declared.secret || declared.kind != InputType::Text {
                let message =
                    format!("the input `{name}` holds no version: it is not a plain text");
                return Err(RecipeError::new(place, message));
            }
        }
        let count = file.inputs.value.len();
        if file.versions.value.iter().any(|row| row.len() != count) {
            let place = compiler.place_of(&file.versions);
            let message = "each row of `versions` has a version for each of the `inputs`";
            return Err(RecipeError::new(place, message));
        }
        Ok(Compatibility {
            inputs: file.inputs.value,
            versions: file.versions.value,
            link: file.link,
        })
    }

    /// Whether an input's value is compared.
    pub(super) fn reads(&self, input: &str) -> bool {
        self.inputs.iter().any(|name| name == input)
    }

    /// One line for each combination.
    pub(super) fn notes(&self) -> Vec<Note> {
        let row = |versions: &Vec<String>| {
            let pairs = self.inputs.iter().zip(versions);
            let pairs = pairs.map(|(input, version)| format!("`{input}` {version}"));
            Note {
                text: pairs.collect::<Vec<_>>().join(" with "),
                link: self.link.clone(),
            }
        };
        self.versions.iter().map(row).collect()
    }

    /// The inputs, when all of them are given and their combination is not documented.
    pub(super) fn unknown<'c>(&'c self, given: &BoundInputs) -> Option<&'c [String]> {
        let mut versions = Vec::new();
        for name in &self.inputs {
            versions.push(given.get(name)?.as_ref()?);
        }
        let fits = |(wanted, found): (&String, &&InputValue)| match found {
            InputValue::Plain(Value::String(found)) => continues(found, wanted),
            // What an intrinsic function gives is not known, and is no documented version therefore.
            InputValue::Plain(_) | InputValue::ValueFrom(_) => false,
        };
        let documented = self
            .versions
            .iter()
            .any(|row| row.iter().zip(&versions).all(fits));
        (!documented).then_some(&self.inputs)
    }
}

/// Whether a version is `start` or begins with it: `4.1` covers `4.1.2`, and not `4.10`.
fn continues(version: &str, start: &str) -> bool {
    version
        .strip_prefix(start)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '+']))
}

#[cfg(test)]
mod tests {
    use super::continues;

    #[test]
    fn a_version_covers_what_continues_it() {
        for (version, start, covered) in [
            ("4.1.2", "4.1.2", true),
            ("4.1.2", "4.1", true),
            ("4.1.2-rc1", "4.1.2", true),
            ("4.10", "4.1", false),
            ("4", "4.1", false),
            ("", "4", false),
        ] {
            assert_eq!(continues(version, start), covered, "{version} {start}");
        }
    }
}
