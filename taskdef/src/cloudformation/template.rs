//! The sections of a template that decide the values of expressions.

use serde_json::{Map, Value};

use crate::DocumentKind;
use crate::container::has_generated_keys;
use crate::settings::Settings;

use super::find::{kind_of_fragment, transforms};
use super::intrinsic::scalar_text;

/// What is known of a template parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    /// Its value: an override, or the default.
    Value(Value),
    /// Neither an override nor a default.
    WithoutValue,
    /// `NoEcho`: never evaluated.
    NoEcho,
    /// SSM-typed: its value is the name of what is meant.
    Ssm,
    /// A value without a declaration, in a snippet: it may be one of the two before.
    Undeclared,
}

/// A [template](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html),
/// or the part of one that a snippet-level transform hands over.
pub(crate) struct Template<'d> {
    parameters: Option<&'d Map<String, Value>>,
    mappings: Option<&'d Map<String, Value>>,
    conditions: Option<&'d Map<String, Value>>,
    settings: &'d Settings,
    /// Whether there may be mappings that the document does not have: it is a snippet, or transformed.
    is_partial: bool,
    /// Whether a text is more than that where it holds a dynamic reference.
    replaces_texts: bool,
}

impl<'d> Template<'d> {
    pub(crate) fn new(document: &'d Value, settings: &'d Settings) -> Self {
        let section = |name| document.get(name).and_then(Value::as_object);
        Template {
            parameters: section("Parameters"),
            mappings: section("Mappings"),
            conditions: section("Conditions"),
            settings,
            is_partial: kind_of_fragment(document) == DocumentKind::Snippet
                || !transforms(document).is_empty(),
            replaces_texts: true,
        }
    }

    /// No template: every value is what it says.
    pub(crate) fn none(settings: &'d Settings) -> Self {
        Template {
            parameters: None,
            mappings: None,
            conditions: None,
            settings,
            is_partial: false,
            replaces_texts: false,
        }
    }

    /// The beginnings of texts that a deployment replaces wherever they stand:
    /// [dynamic references](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html).
    pub(crate) fn replaced_texts(&self) -> &'static [&'static str] {
        match self.replaces_texts {
            true => &["{{resolve:"],
            false => &[],
        }
    }

    /// The value of a pseudo parameter, where the settings give it.
    pub(crate) fn pseudo_parameter(&self, name: &str) -> Option<String> {
        let deployment = &self.settings.deployment;
        let region = deployment.region.as_deref();
        match name {
            "AWS::Region" => region.map(str::to_owned),
            "AWS::AccountId" => deployment.account_id.clone(),
            "AWS::Partition" => region.map(|region| partition(region).0.to_owned()),
            "AWS::URLSuffix" => region.map(|region| partition(region).1.to_owned()),
            _ => None,
        }
    }

    /// A declared parameter, or one that a value was given for.
    pub(crate) fn parameter(&self, name: &str) -> Option<Parameter> {
        let given = self.settings.parameters.get(name);
        let Some(declared) = self.parameters.and_then(|all| all.get(name)) else {
            return given.map(|_| Parameter::Undeclared);
        };
        let kind = declared
            .get("Type")
            .and_then(Value::as_str)
            .unwrap_or("String");
        if declared
            .get("NoEcho")
            .and_then(scalar_text)
            .is_some_and(|flag| is_true(&flag))
        {
            return Some(Parameter::NoEcho);
        }
        let value = if kind.starts_with("AWS::SSM::Parameter::Value<") {
            match self.settings.resolved_parameters.get(name) {
                Some(value) => value.clone(),
                None => return Some(Parameter::Ssm),
            }
        } else {
            match given
                .cloned()
                .or_else(|| declared.get("Default").and_then(scalar_text))
            {
                Some(value) => value,
                None => return Some(Parameter::WithoutValue),
            }
        };
        let is_list = kind == "CommaDelimitedList" || kind.contains("List<");
        Some(Parameter::Value(match is_list {
            true => value
                .split(',')
                .map(|item| Value::from(item.trim()))
                .collect(),
            false => Value::String(value),
        }))
    }

    /// The values that a parameter may have, where it is one text.
    pub(crate) fn allowed_values(&self, name: &str) -> Option<Vec<String>> {
        let declared = self.parameters?.get(name)?;
        let kind = declared.get("Type").map_or(Some("String"), Value::as_str)?;
        if !matches!(kind, "String" | "Number") {
            return None;
        }
        let values = declared.get("AllowedValues")?.as_array()?;
        values.iter().map(scalar_text).collect()
    }

    /// An entry of the mappings.
    pub(crate) fn mapping(&self, map: &str, first: &str, second: &str) -> Option<&'d Value> {
        self.mapping_named(map)?.get(first)?.get(second)
    }

    /// Whether a transform may bring an entry of the mappings that the document does not have.
    pub(crate) fn may_have_mapping(&self, map: &str, first: &str) -> bool {
        let Some(mappings) = self.mappings else {
            return self.is_partial;
        };
        let generates = |value: Option<&Value>| {
            let value = value.and_then(Value::as_object);
            value.is_some_and(has_generated_keys)
        };
        let map = mappings.get(map);
        self.is_partial
            || has_generated_keys(mappings)
            || generates(map)
            || generates(map.and_then(|map| map.get(first)))
    }

    /// A whole mapping.
    pub(crate) fn mapping_named(&self, map: &str) -> Option<&'d Value> {
        self.mappings?.get(map)
    }

    /// The definition of a condition.
    pub(crate) fn condition(&self, name: &str) -> Option<&'d Value> {
        self.conditions?.get(name)
    }
}

/// What CloudFormation takes for true.
pub(crate) fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("yes")
}

/// [Partition](https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html)
/// and URL suffix of a region.
fn partition(region: &str) -> (&'static str, &'static str) {
    const PARTITIONS: &[(&str, &str, &str)] = &[
        ("cn-", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-", "aws-us-gov", "amazonaws.com"),
        ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
        ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
        ("us-iso-", "aws-iso", "c2s.ic.gov"),
        ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
        ("eusc-", "aws-eusc", "amazonaws.eu"),
    ];
    PARTITIONS
        .iter()
        .find(|(prefix, _, _)| region.starts_with(prefix))
        .map_or(("aws", "amazonaws.com"), |(_, name, suffix)| (name, suffix))
}
