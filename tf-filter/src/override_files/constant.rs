//! The form `const`: the containers as they are planned, instrumented.

use cli::Problem;
use serde_json::Value;
use taskdef::terraform::Definitions;

use super::hcl::Expression;
use super::subject::Subject;

/// The containers, as the value of `container_definitions`.
pub(crate) fn containers(subject: &Subject<'_>) -> Result<Expression, Problem> {
    if let Some(address) = subject.unknown() {
        return Err(subject.problem(
            &format!("the containers of `{address}` are known only after apply"),
            "use the form `function`",
        ));
    }
    if subject.is_sensitive() {
        return Err(subject.problem(
            "it holds sensitive values, which would be written to the file",
            "use the form `function`",
        ));
    }
    let mut by_key: Vec<(Option<Value>, &Definitions)> = Vec::new();
    for instance in &subject.instances {
        let Some(definitions) = instance.definitions else {
            continue;
        };
        let key = &instance.planned.key;
        match by_key.iter().find(|(known, _)| known == key) {
            Some((_, known)) if known.after == definitions.after => {}
            Some((_, known)) => {
                return Err(subject.problem(
                    &format!(
                        "`{}` and `{}` share these files and have other containers",
                        known.address, definitions.address
                    ),
                    "use the form `function`",
                ));
            }
            None => by_key.push((key.clone(), definitions)),
        }
    }
    Ok(chosen(&by_key))
}

/// The containers of the one instance, or of each by its key.
fn chosen(by_key: &[(Option<Value>, &Definitions)]) -> Expression {
    let encoded = |definitions: &Definitions| {
        let value = Expression::value(&definitions.after);
        Expression::Call("jsonencode".to_owned(), vec![value])
    };
    if let [(None, definitions)] = by_key {
        return encoded(definitions);
    }
    let index = match by_key.first() {
        Some((Some(Value::Number(_)), _)) => "[tostring(count.index)]",
        _ => "[each.key]",
    };
    let members = by_key.iter().map(|(key, definitions)| {
        let key = match key {
            Some(Value::String(key)) => key.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        (key, encoded(definitions))
    });
    Expression::Indexed(Box::new(Expression::Object(members.collect())), index)
}
