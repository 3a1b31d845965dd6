//! CloudFormation's part around a macro, as
//! [AWS documents it](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-overview.html):
//! what it hands over, in which order, and what it does with the answers.

mod loops;
mod parameters;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::document::parse;
use crate::servers::PAYLOAD_MAX;

/// The name of the macro.
pub const MACRO: &str = "Outrigger";
/// The transform that expands `Fn::ForEach`.
const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";
/// The [limits](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)
/// of a template in a request, and of one in Amazon S3.
const INLINE_MAX: usize = 51_200;
const TEMPLATE_MAX: usize = 1_000_000;

/// How a template is handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passed {
    /// In the request.
    #[default]
    Inline,
    /// By its URL in Amazon S3.
    InS3,
}

/// What a person gives beside a template.
#[derive(Clone, Debug, Default)]
pub struct Deployment {
    /// Values of parameters.
    pub parameters: BTreeMap<String, String>,
    /// How the template is handed over.
    pub passed: Passed,
}

/// Where all stacks of the tests are.
pub const REGION: &str = "eu-central-1";
/// Whose they are.
pub const ACCOUNT: &str = "123456789012";

/// The macro: takes a request, and gives the response's bytes.
pub type Macro<'m> = dyn FnMut(&Value) -> Result<Vec<u8>, String> + 'm;

impl Deployment {
    /// The same with these values of parameters.
    #[must_use]
    pub fn with(parameters: &[(&str, &str)]) -> Self {
        let pairs = parameters.iter();
        Self {
            parameters: pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Self::default()
        }
    }

    /// Processes a template: snippets, the deepest first, and then the list of transforms. AWS's
    /// own stay, but for loops that have to be expanded before a macro.
    ///
    /// # Errors
    /// What the change set says: a limit, a parameter without a value, or the macro's message.
    pub fn process(&self, template: &[u8], outrigger: &mut Macro<'_>) -> Result<Value, String> {
        let limit = match self.passed {
            Passed::Inline => INLINE_MAX,
            Passed::InS3 => TEMPLATE_MAX,
        };
        if template.len() > limit {
            return Err(format!(
                "the template has {} bytes, and {limit} are allowed",
                template.len()
            ));
        }
        let template = parse(template)?;
        let mut run = Run {
            parameters: parameters::values(&template, &self.parameters)?,
            outrigger,
            requests: 0,
        };
        let template = run.snippets(template)?;
        let processed = run.listed(template)?;
        let length = processed.to_string().len();
        if length > limit {
            return Err(format!(
                "the processed template has {length} bytes, and {limit} are allowed"
            ));
        }
        Ok(processed)
    }
}

/// What becomes of a processed template when AWS's own transforms come behind the macro.
///
/// # Errors
/// A loop that is none, or a parameter without a value.
pub fn with_own_transforms(template: &Value, deployment: &Deployment) -> Result<Value, String> {
    let parameters = parameters::values(template, &deployment.parameters)?;
    let mut template = template.clone();
    if let Value::Object(members) = &mut template {
        members.shift_remove("Transform");
    }
    loops::expanded(template, &parameters)
}

/// One processing.
struct Run<'r, 'm> {
    parameters: Map<String, Value>,
    outrigger: &'r mut Macro<'m>,
    requests: usize,
}

impl Run<'_, '_> {
    /// Replaces every object with a snippet-level transform by what the macro makes of its
    /// other members.
    fn snippets(&mut self, value: Value) -> Result<Value, String> {
        match value {
            Value::Array(items) => items.into_iter().map(|item| self.snippets(item)).collect(),
            Value::Object(members) => {
                let mut done = Map::new();
                for (key, member) in members {
                    let own = key == "Fn::Transform";
                    let member = if own { member } else { self.snippets(member)? };
                    done.insert(key, member);
                }
                match done.get("Fn::Transform").cloned() {
                    Some(transform) if is_macro(&transform)? => {
                        done.shift_remove("Fn::Transform");
                        self.call(Value::Object(done), &transform)
                    }
                    _ => Ok(Value::Object(done)),
                }
            }
            value => Ok(value),
        }
    }

    /// Hands the whole template over for each of the template's transforms that is a macro.
    fn listed(&mut self, template: Value) -> Result<Value, String> {
        let Value::Object(mut members) = template else {
            return Err("the template is no object".to_owned());
        };
        let transforms = match members.shift_remove("Transform") {
            None => Vec::new(),
            Some(Value::Array(transforms)) => transforms,
            Some(transform) => vec![transform],
        };
        let mut template = Value::Object(members);
        let mut left = Vec::new();
        for (index, transform) in transforms.iter().enumerate() {
            let later = transforms.iter().skip(index);
            let macros: Result<Vec<bool>, String> = later.map(is_macro).collect();
            let macro_follows = macros?.contains(&true);
            if is_macro(transform)? {
                template = self.call(template, transform)?;
            } else if macro_follows && transform_name(transform) == LANGUAGE_EXTENSIONS {
                template = loops::expanded(template, &self.parameters)?;
            } else {
                left.push(transform.clone());
            }
        }
        if let (Value::Object(members), false) = (&mut template, left.is_empty()) {
            members.insert("Transform".to_owned(), Value::Array(left));
        }
        Ok(template)
    }

    fn call(&mut self, fragment: Value, transform: &Value) -> Result<Value, String> {
        self.requests += 1;
        let id = format!("request-{}", self.requests);
        let parameters = transform.get("Parameters").cloned();
        let request = json!({
            "region": REGION,
            "accountId": ACCOUNT,
            "fragment": fragment,
            "transformId": format!("{ACCOUNT}::{MACRO}"),
            "params": parameters.unwrap_or(json!({})),
            "requestId": id,
            "templateParameterValues": self.parameters,
        });
        let length = request.to_string().len();
        if length > PAYLOAD_MAX {
            return Err(format!("the request has {length} bytes"));
        }
        let response = (self.outrigger)(&request)?;
        accepted(&id, &response)
            .map_err(|why| format!("Transform {ACCOUNT}::{MACRO} failed with: {why}"))
    }
}

/// The fragment of a response; whatever is not a success is a failure.
fn accepted(id: &str, response: &[u8]) -> Result<Value, String> {
    let response: Value =
        serde_json::from_slice(response).map_err(|error| format!("no JSON: {error}"))?;
    if response.get("requestId").and_then(Value::as_str) != Some(id) {
        return Err("the response is to another request".to_owned());
    }
    if response.get("status").and_then(Value::as_str) != Some("success") {
        let message = response.get("errorMessage").and_then(Value::as_str);
        return Err(message.unwrap_or("no message").to_owned());
    }
    match response.get("fragment") {
        Some(fragment) if fragment.is_object() => Ok(fragment.clone()),
        _ => Err("the response has no fragment".to_owned()),
    }
}

/// A transform is a name, or an object with one.
fn transform_name(transform: &Value) -> &str {
    let name = transform.get("Name").unwrap_or(transform);
    name.as_str().unwrap_or_default()
}

fn is_macro(transform: &Value) -> Result<bool, String> {
    match transform_name(transform) {
        MACRO => Ok(true),
        name if name.starts_with("AWS::") => Ok(false),
        name => Err(format!("No transform named {ACCOUNT}::{name} found.")),
    }
}

#[cfg(test)]
mod tests;
