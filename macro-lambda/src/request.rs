//! What CloudFormation sends to a macro.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// What Lambda hands over: text, or bytes that are none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Event {
    text: String,
    /// Whether the text is what came, to the last byte.
    is_whole: bool,
}

impl From<&[u8]> for Event {
    fn from(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        Self {
            is_whole: matches!(text, Cow::Borrowed(_)),
            text: text.into_owned(),
        }
    }
}

/// The [request of a macro](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-author.html#template-macros-lambda-interface).
#[derive(Debug)]
pub(crate) struct Request<'e> {
    /// What the response has to repeat.
    pub(crate) id: String,
    /// `AWS::Region` of the stack.
    pub(crate) region: Option<String>,
    /// `AWS::AccountId` of the stack.
    pub(crate) account_id: Option<String>,
    /// The template, or the part of one that the transform stands in, as text.
    pub(crate) fragment: &'e str,
    /// The parameters of the transform.
    pub(crate) params: Map<String, Value>,
    /// Values of template parameters, `NoEcho` ones in clear: nothing here may be logged.
    pub(crate) parameter_values: BTreeMap<String, String>,
}

/// Why a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestError {
    /// Its ID, where that can be read.
    pub(crate) id: String,
    /// What is wrong.
    pub(crate) message: String,
}

/// The members of a request, each as it was sent: one that cannot be read leaves the others
/// readable, the ID above all. Members that are not known are left alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'e> {
    #[serde(borrow)]
    request_id: Option<&'e RawValue>,
    region: Option<&'e RawValue>,
    account_id: Option<&'e RawValue>,
    fragment: Option<&'e RawValue>,
    params: Option<&'e RawValue>,
    template_parameter_values: Option<&'e RawValue>,
}

impl<'e> Request<'e> {
    /// Reads an event.
    pub(crate) fn parse(event: &'e Event) -> Result<Self, RequestError> {
        let envelope = serde_json::from_str(&event.text);
        let envelope: Envelope<'_> = envelope.map_err(|_| RequestError {
            id: String::new(),
            message: "the event is not the request of a CloudFormation macro".to_owned(),
        })?;
        let id = text(envelope.request_id).unwrap_or_default();
        let failed = |message: &str| RequestError {
            id: id.clone(),
            message: message.to_owned(),
        };
        // A template whose text came damaged would be deployed so.
        if !event.is_whole {
            return Err(failed("the event is no text in UTF-8"));
        }
        let fragment = envelope
            .fragment
            .ok_or_else(|| failed("the request has no `fragment`"))?;
        Ok(Self {
            region: text(envelope.region),
            account_id: text(envelope.account_id),
            fragment: fragment.get(),
            params: object(envelope.params)
                .ok_or_else(|| failed("the `params` of the request are no object"))?,
            parameter_values: object(envelope.template_parameter_values)
                .ok_or_else(|| {
                    failed("the `templateParameterValues` of the request are no object")
                })?
                .into_iter()
                .filter_map(|(name, value)| Some((name, value_text(&value)?)))
                .collect(),
            id,
        })
    }
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// An object; empty where there is none.
fn object(raw: Option<&RawValue>) -> Option<Map<String, Value>> {
    let Some(raw) = raw else {
        return Some(Map::new());
    };
    match serde_json::from_str(raw.get()) {
        Ok(Value::Object(object)) => Some(object),
        Ok(Value::Null) => Some(Map::new()),
        _ => None,
    }
}

/// A parameter's value as the text that a template's author would write; lists come as lists.
fn value_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(value_text).collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_as_it_is_documented() {
        let event = Event::from(
            r#"{"region": "us-east-1", "accountId": "123456789012", "fragment": {"a": 1e3},
            "transformId": "123456789012::Outrigger", "params": {"Mode": "opt-in"},
            "requestId": "r-1", "templateParameterValues": {"Count": 2, "Zones": ["a", "b"], "On": true},
            "somethingNew": [1]}"#
                .as_bytes(),
        );
        let request = Request::parse(&event).unwrap();
        assert_eq!(request.id, "r-1");
        assert_eq!(request.region.as_deref(), Some("us-east-1"));
        assert_eq!(request.account_id.as_deref(), Some("123456789012"));
        assert_eq!(request.fragment, r#"{"a": 1e3}"#);
        assert_eq!(request.params["Mode"], "opt-in");
        let values: Vec<_> = request.parameter_values.iter().collect();
        let values: Vec<_> = values.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(values, ["Count=2", "On=true", "Zones=a,b"]);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_the_id_where_there_is_one() {
        let told = |event: &[u8]| {
            let error = Request::parse(&event.into()).unwrap_err();
            format!("[{}] {}", error.id, error.message)
        };
        let deep = format!(
            "{{\"requestId\": \"r\", \"params\": {}1{}}}",
            "[".repeat(300),
            "]".repeat(300)
        );
        let table = [
            told(b""),
            told(b"[]"),
            told(b"{\"requestId\": \"r\", \"fragment\": "),
            told(b"{\"requestId\": \"r\"}"),
            told(b"{\"requestId\": 7, \"fragment\": {}, \"params\": \"x\"}"),
            told(b"{\"requestId\": \"r\", \"fragment\": {}, \"templateParameterValues\": [1]}"),
            told(deep.as_bytes()),
            told(b"{\"requestId\": \"r\", \"fragment\": \"\xff\"}"),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        [] the event is not the request of a CloudFormation macro
        [] the event is not the request of a CloudFormation macro
        [] the event is not the request of a CloudFormation macro
        [r] the request has no `fragment`
        [] the `params` of the request are no object
        [r] the `templateParameterValues` of the request are no object
        [r] the request has no `fragment`
        [r] the event is no text in UTF-8
        ");
    }

    #[test]
    fn a_fragment_of_any_depth_leaves_the_rest_readable() {
        let fragment = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let event = format!("{{\"requestId\": \"r\", \"fragment\": {fragment}}}");
        let event = Event::from(event.as_bytes());
        let request = Request::parse(&event).unwrap();
        assert_eq!(
            (request.id.as_str(), request.fragment),
            ("r", fragment.as_str())
        );
    }
}
