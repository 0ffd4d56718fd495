//! Lists: filter, order, page, and the envelope around them [api 2].

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::filter::{self, Filter};
use super::{Answer, Call};

/// One page of a list.
pub(super) struct Page<T> {
    /// Its elements.
    pub list: Vec<T>,
    /// How many elements the filter selects on all pages.
    total: usize,
}

impl Call<'_> {
    /// The part of the elements the query asks for. Only `filterable` fields work in `where`.
    pub(super) fn select(&self, mut elements: Vec<Value>, filterable: &[&str]) -> Result<Page<Value>, ApiError> {
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
    pub(super) fn select_viewed<T>(
        &self,
        mut objects: Vec<T>,
        filterable: &[&str],
        value_of: impl Fn(&T, &str) -> Value,
        view: impl Fn(&T) -> Value,
    ) -> Result<Page<Value>, ApiError> {
        self.check_parameters()?;
        if let Some(filter) = self.filter(filterable)? {
            objects.retain(|object| filter.accepts(&|field| value_of(object, field)));
        }
        self.viewed(objects, view)
    }

    /// The same whatever `where` says.
    pub(super) fn viewed<T>(&self, objects: Vec<T>, view: impl Fn(&T) -> Value) -> Result<Page<Value>, ApiError> {
        match self.asked.parameter("orderby") {
            None | Some("id asc") => {
                let page = self.page(objects)?;
                Ok(Page { list: page.list.iter().map(view).collect(), total: page.total })
            }
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

    fn page<T>(&self, elements: Vec<T>) -> Result<Page<T>, ApiError> {
        let (offset, asked) = match self.asked.parameter("limit") {
            Some(limit) => filter::limit(limit).map(|(offset, count)| (offset, Some(count)))?,
            None => (0, None),
        };
        let total = elements.len();
        let length = self.platform.lists.page_length(asked, total.saturating_sub(offset));
        Ok(Page { list: elements.into_iter().skip(offset).take(length).collect(), total })
    }

    /// The filter of the query.
    pub(super) fn filter(&self, filterable: &[&str]) -> Result<Option<Filter>, ApiError> {
        let Some(text) = self.asked.parameter("where") else { return Ok(None) };
        let filter = filter::parse(text)?;
        filter.check(filterable)?;
        Ok(Some(filter))
    }

    /// `{last_notify, list}`.
    pub(super) fn list(&self, elements: Vec<Value>, filterable: &[&str]) -> Answer {
        let page = self.select(elements, filterable)?;
        Ok(json!({"last_notify": self.platform.notify, "list": page.list}))
    }

    /// `{last_notify, list, size}`.
    pub(super) fn sized_list(&self, elements: Vec<Value>, filterable: &[&str]) -> Answer {
        let page = self.select(elements, filterable)?;
        Ok(self.sized(page, json!({"last_notify": self.platform.notify})))
    }

    /// The envelope with the page and, where this build has it, its `size`.
    pub(super) fn sized(&self, page: Page<Value>, mut envelope: Value) -> Value {
        if let Some(size) = self.platform.lists.size_of(page.list.len(), page.total) {
            envelope["size"] = size.into();
        }
        envelope["list"] = page.list.into();
        envelope
    }
}
