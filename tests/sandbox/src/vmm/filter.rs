//! The list query: `where`, `limit`, `orderby` [api 2].
//!
//! ```text
//! expression = conjunction { "OR" conjunction }
//! conjunction = term { "AND" term }
//! term       = "NOT" term | "(" expression ")" | comparison
//! comparison = field ( "EQ" | "NE" | "CP" ) literal | field "IS" "null"
//! field      = name { "." name }
//! literal    = "'" any but "'" "'" | bare word
//! ```
//!
//! Only fields named filterable by the caller work; any other one is answered with status 500, as was seen with
//! filters by cluster and account [api 6, row 24]: a client has to filter those locally.

use std::cmp::Ordering;

use serde_json::Value;

use super::error::ApiError;

/// Deeper nesting than any client writes.
const MAX_DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Equal { field: String, literal: String },
    NotEqual { field: String, literal: String },
    Like { field: String, pattern: String },
    IsNull { field: String },
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Quoted(String),
    Word(String),
}

/// Reads an expression that has already been decoded from its percent form.
pub(super) fn parse(text: &str) -> Result<Filter, ApiError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let filter = parser.expression(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(filter),
        Some(rest) => Err(syntax(format!("{rest:?} after the end of the expression"))),
    }
}

/// Whether the platform's list filter `text` selects `element`; the error is the platform's own.
pub fn selects(text: &str, element: &Value) -> anyhow::Result<bool> {
    parse(text).map(|filter| filter.matches(element)).map_err(|error| anyhow::anyhow!("{error:?}"))
}

fn syntax(what: impl std::fmt::Display) -> ApiError {
    ApiError::bad_query(format!("Syntax error in where: {what}"))
}

fn tokens(text: &str) -> Result<Vec<Token>, ApiError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        match first {
            '(' | ')' => {
                tokens.push(if first == '(' { Token::Open } else { Token::Close });
                rest = &rest[1..];
            }
            '\'' => {
                let end = rest[1..].find('\'').ok_or_else(|| syntax("a quote is not closed"))?;
                tokens.push(Token::Quoted(rest[1..=end].to_owned()));
                rest = &rest[end + 2..];
                if rest.starts_with(|c: char| !c.is_whitespace() && c != ')') {
                    return Err(syntax("text right after a quoted literal"));
                }
            }
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "()'".contains(c)).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn expression(&mut self, depth: usize) -> Result<Filter, ApiError> {
        let mut left = self.conjunction(depth)?;
        while self.accept("OR") {
            left = Filter::Or(Box::new(left), Box::new(self.conjunction(depth)?));
        }
        Ok(left)
    }

    fn conjunction(&mut self, depth: usize) -> Result<Filter, ApiError> {
        let mut left = self.term(depth)?;
        while self.accept("AND") {
            left = Filter::And(Box::new(left), Box::new(self.term(depth)?));
        }
        Ok(left)
    }

    fn term(&mut self, depth: usize) -> Result<Filter, ApiError> {
        if depth > MAX_DEPTH {
            return Err(syntax("nested too deeply"));
        }
        if self.accept("NOT") {
            return Ok(Filter::Not(Box::new(self.term(depth + 1)?)));
        }
        if self.tokens.get(self.at) == Some(&Token::Open) {
            self.at += 1;
            let inner = self.expression(depth + 1)?;
            return match self.next() {
                Some(Token::Close) => Ok(inner),
                _ => Err(syntax("a parenthesis is not closed")),
            };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Filter, ApiError> {
        let field = match self.next() {
            Some(Token::Word(word)) if is_field(&word) => word,
            other => return Err(syntax(format!("a field name expected, got {other:?}"))),
        };
        let operator = match self.next() {
            Some(Token::Word(word)) => word,
            other => return Err(syntax(format!("an operator expected after {field}, got {other:?}"))),
        };
        let literal = match self.next() {
            Some(Token::Quoted(text) | Token::Word(text)) => text,
            other => return Err(syntax(format!("a value expected after {field} {operator}, got {other:?}"))),
        };
        match operator.as_str() {
            "EQ" => Ok(Filter::Equal { field, literal }),
            "NE" => Ok(Filter::NotEqual { field, literal }),
            "CP" => Ok(Filter::Like { field, pattern: literal }),
            "IS" if literal == "null" => Ok(Filter::IsNull { field }),
            _ => Err(syntax(format!("unknown operator {operator} {literal}"))),
        }
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(have)) if have == word);
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }
}

fn is_field(word: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    word.split('.').all(part) && !["AND", "OR", "NOT", "EQ", "NE", "CP", "IS"].contains(&word)
}

impl Filter {
    /// Refuses what the platform cannot filter by.
    pub(super) fn check(&self, filterable: &[&str]) -> Result<(), ApiError> {
        match self {
            Self::And(a, b) | Self::Or(a, b) => a.check(filterable).and_then(|()| b.check(filterable)),
            Self::Not(inner) => inner.check(filterable),
            Self::Equal { field, .. }
            | Self::NotEqual { field, .. }
            | Self::Like { field, .. }
            | Self::IsNull { field } => {
                if filterable.contains(&field.as_str()) {
                    Ok(())
                } else {
                    Err(ApiError::internal(format!("Internal error: unknown column '{field}' in where clause")))
                }
            }
        }
    }

    /// Whether an element of a list is meant, which tells the values of its fields when asked.
    pub(super) fn accepts(&self, value_of: &dyn Fn(&str) -> Value) -> bool {
        let any = |field: &str, test: &dyn Fn(&str) -> bool| texts(&value_of(field)).iter().any(|text| test(text));
        match self {
            Self::And(a, b) => a.accepts(value_of) && b.accepts(value_of),
            Self::Or(a, b) => a.accepts(value_of) || b.accepts(value_of),
            Self::Not(inner) => !inner.accepts(value_of),
            Self::Equal { field, literal } => any(field, &|text| text == literal),
            Self::NotEqual { field, literal } => any(field, &|text| text != literal),
            Self::Like { field, pattern } => any(field, &|text| like(text, pattern)),
            Self::IsNull { field } => value_of(field).is_null(),
        }
    }

    /// Whether an element is meant that is already in the form of an answer.
    pub(super) fn matches(&self, element: &Value) -> bool {
        self.accepts(&|path| field_of(element, path).clone())
    }
}

/// Sorts by `<field> [asc|desc]`.
pub(super) fn sort(list: &mut [Value], orderby: &str) -> Result<(), ApiError> {
    let mut words = orderby.split_whitespace();
    let (field, direction) = (words.next().unwrap_or_default(), words.next().unwrap_or("asc"));
    if !is_field(field) || !["asc", "desc"].contains(&direction) || words.next().is_some() {
        return Err(ApiError::bad_query(format!("Cannot order by '{orderby}'")));
    }
    list.sort_by(|a, b| {
        let order = compare(field_of(a, field), field_of(b, field));
        if direction == "desc" { order.reverse() } else { order }
    });
    Ok(())
}

/// Reads `<count>` or `<offset>,<count>`: the offset and the count.
pub(super) fn limit(text: &str) -> Result<(usize, usize), ApiError> {
    let number =
        |part: &str| part.trim().parse::<usize>().map_err(|_| ApiError::bad_query(format!("Bad limit '{text}'")));
    match text.split_once(',') {
        Some((offset, count)) => Ok((number(offset)?, number(count)?)),
        None => Ok((0, number(text)?)),
    }
}

fn field_of<'a>(element: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(element, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// The forms a literal is compared with: one for a scalar, each element's for a list, none for null.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null | Value::Object(_) => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        other => vec![other.to_string()],
    }
}

/// SQL's LIKE with `%` only; without it plain equality.
fn like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('%') {
        None => text == pattern,
        Some((head, tail)) => {
            let Some(rest) = text.strip_prefix(head) else { return false };
            let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            starts.into_iter().any(|at| like(&rest[at..], tail))
        }
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => texts(a).cmp(&texts(b)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn meets(text: &str, element: &Value) -> bool {
        parse(text).unwrap().matches(element)
    }

    #[test]
    fn reads_the_forms_of_the_known_clients() {
        let task = json!({"id": 5, "consul_id": 123, "name": "host_create", "account": {"id": 5}, "gone": null});
        for yes in [
            "((consul_id EQ '123') AND (name EQ 'host_create'))",
            "id EQ 5",
            "(id EQ '5')",
            "(account.id EQ 5)",
            "(name CP '%create')",
            "name CP 'host_create'",
            "gone IS null",
            "NOT (id EQ 6)",
            "id EQ 6 OR id EQ 5 AND name EQ 'host_create'",
            "(id NE 6)",
        ] {
            assert!(meets(yes, &task), "{yes}");
        }
        for no in ["name CP 'create'", "id EQ 55", "gone NE 1", "(id EQ 5) AND (id EQ 6)", "name EQ 'Host_create'"] {
            assert!(!meets(no, &task), "{no}");
        }
    }

    #[test]
    fn refuses_what_is_not_the_grammar() {
        for bad in [
            "",
            "id",
            "id EQ",
            "id = 5",
            "(id EQ 5",
            "id EQ 5)",
            "id EQ 'a",
            "id EQ 'a'b'",
            "AND id EQ 5",
            "id IS 5",
            "id eq 5",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&"(".repeat(100_000)).is_err());
    }

    #[test]
    fn orders_and_reads_limits() {
        let mut list = vec![json!({"id": 2}), json!({"id": 10}), json!({"id": 1})];
        sort(&mut list, "id desc").unwrap();
        assert_eq!(list, [json!({"id": 10}), json!({"id": 2}), json!({"id": 1})]);
        assert_eq!((limit("1,1").unwrap(), limit("2").unwrap()), ((1, 1), (0, 2)));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn a_quoted_literal_means_itself(text in "[^']{0,20}") {
            let element = json!({"email": text});
            let filter = format!("(email EQ '{text}')");
            prop_assert!(meets(&filter, &element));
        }
    }
}
