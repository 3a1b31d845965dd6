//! Answers that come in pages.

use serde_json::Value;

use super::{Api, ApiError, Repeat};
use registry::credentials::aws::Service;

/// More pages than anything has: a service that repeats itself would be read for ever.
const PAGES_MAX: usize = 10_000;

/// How a service names its pages: the key of the list, and those of the token in answer and question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens {
    pub(crate) list: &'static str,
    pub(crate) answer: &'static str,
    pub(crate) question: &'static str,
}

impl Tokens {
    /// As ECS names them.
    pub(crate) const fn ecs(list: &'static str) -> Tokens {
        Tokens {
            list,
            answer: "nextToken",
            question: "nextToken",
        }
    }

    /// As most other services name them.
    pub(crate) const fn capital(list: &'static str) -> Tokens {
        Tokens {
            list,
            answer: "NextToken",
            question: "NextToken",
        }
    }

    /// The items of one answer, and the token of the next page.
    pub(crate) fn read(self, action: &str, page: &Value) -> Result<Page, ApiError> {
        let items = match page.get(self.list) {
            Some(Value::Array(items)) => items.clone(),
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return Err(ApiError::unreadable(action)),
        };
        let next = page.get(self.answer).and_then(Value::as_str);
        let next = next.filter(|token| !token.is_empty()).map(str::to_owned);
        Ok(Page { items, next })
    }
}

/// A page.
pub(crate) struct Page {
    pub(crate) items: Vec<Value>,
    pub(crate) next: Option<String>,
}

/// All items of an action of a service that speaks JSON.
pub(crate) async fn all_pages(
    api: &Api,
    service: &'static Service,
    action: &'static str,
    mut input: Value,
    tokens: Tokens,
) -> Result<Vec<Value>, ApiError> {
    let mut all = Vec::new();
    for _ in 0..PAGES_MAX {
        let answer = api.json(service, action, &input, Repeat::Always).await?;
        let page = tokens.read(&format!("{}:{action}", service.name()), &answer)?;
        all.extend(page.items);
        let Some(next) = page.next else {
            return Ok(all);
        };
        if let Some(input) = input.as_object_mut() {
            input.insert(tokens.question.to_owned(), next.into());
        }
    }
    Err(ApiError::unreadable(action))
}
