//! Lists: filter, order, page, and the envelope around them [api 2].

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::filter::{self, Filter};
use super::{Answer, Call};

impl Call<'_> {
    /// The part of the elements the query asks for. Only `filterable` fields work in `where`.
    pub fn select(&self, mut elements: Vec<Value>, filterable: &[&str]) -> Result<Vec<Value>, ApiError> {
        self.check_parameters()?;
        if let Some(filter) = self.filter(filterable)? {
            elements.retain(|element| filter.matches(element));
        }
        if let Some(orderby) = self.asked.parameter("orderby") {
            filter::sort(&mut elements, orderby)?;
        }
        self.page(elements)
    }

    /// The same of objects in the order of their ids that are put into form by `view` only when they are asked for: a
    /// platform has thousands of them.
    pub fn select_viewed<T>(
        &self,
        mut objects: Vec<T>,
        filterable: &[&str],
        value_of: impl Fn(&T, &str) -> Value,
        view: impl Fn(&T) -> Value,
    ) -> Result<Vec<Value>, ApiError> {
        self.check_parameters()?;
        if let Some(filter) = self.filter(filterable)? {
            objects.retain(|object| filter.accepts(&|field| value_of(object, field)));
        }
        match self.asked.parameter("orderby") {
            None | Some("id asc") => Ok(self.page(objects)?.iter().map(view).collect()),
            Some(orderby) => {
                let mut elements: Vec<Value> = objects.iter().map(view).collect();
                filter::sort(&mut elements, orderby)?;
                self.page(elements)
            }
        }
    }

    fn check_parameters(&self) -> Result<(), ApiError> {
        let known = ["where", "limit", "orderby"];
        match self.asked.parameters.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(ApiError::bad_query(format!("Unknown query parameter {name}"))),
            None => Ok(()),
        }
    }

    fn page<T>(&self, elements: Vec<T>) -> Result<Vec<T>, ApiError> {
        match self.asked.parameter("limit") {
            Some(limit) => filter::cut(elements, limit),
            None => Ok(elements),
        }
    }

    /// The filter of the query.
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
