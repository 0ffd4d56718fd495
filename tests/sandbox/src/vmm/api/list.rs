//! Lists: filter, order, page, and the envelope around them [api 2].

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::filter::{self, Filter};
use super::{Answer, Call};

impl Call<'_> {
    /// The part of the elements the query asks for. Only `filterable` fields work in `where`.
    pub fn select(&self, mut elements: Vec<Value>, filterable: &[&str]) -> Result<Vec<Value>, ApiError> {
        let known = ["where", "limit", "orderby"];
        if let Some((name, _)) = self.asked.parameters.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            return Err(ApiError::bad_query(format!("Unknown query parameter {name}")));
        }
        if let Some(filter) = self.filter(filterable)? {
            elements.retain(|element| filter.matches(element));
        }
        if let Some(orderby) = self.asked.parameter("orderby") {
            filter::sort(&mut elements, orderby)?;
        }
        match self.asked.parameter("limit") {
            Some(limit) => filter::cut(elements, limit),
            None => Ok(elements),
        }
    }

    /// The filter of the query, for a list that is long enough to be filtered before it is put into form.
    pub fn filter(&self, filterable: &[&str]) -> Result<Option<Filter>, ApiError> {
        let Some(text) = self.asked.parameter("where") else { return Ok(None) };
        let filter = filter::parse(text)?;
        filter.check(filterable)?;
        Ok(Some(filter))
    }

    /// `{last_notify, list}`.
    pub fn list(&self, elements: Vec<Value>, filterable: &[&str]) -> Answer {
        let list = self.select(elements, filterable)?;
        Ok(json!({"last_notify": self.platform.notify, "list": list}))
    }

    /// `{last_notify, list, size}`.
    pub fn sized_list(&self, elements: Vec<Value>, filterable: &[&str]) -> Answer {
        let list = self.select(elements, filterable)?;
        Ok(json!({"last_notify": self.platform.notify, "size": list.len(), "list": list}))
    }
}
