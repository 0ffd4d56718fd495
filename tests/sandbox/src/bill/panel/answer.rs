//! What the panel answers, in the formats of `mgrctl -o` and `out=` [protocol 3.30, 5.1].

use std::fmt::Write as _;

use quick_xml::escape::escape;
use serde_json::{Map, Value, json};

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// Lines of `name=value`.
    #[default]
    Text,
    /// A document.
    Xml,
    /// The document's shape in JSON: texts as `{"$": …}`.
    Json,
    /// The short shape: scalars under `model`.
    Bjson,
}

impl Format {
    /// Reads the name; fails with a message for stderr.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        match name {
            "text" => Ok(Self::Text),
            "xml" | "devel" => Ok(Self::Xml),
            "json" => Ok(Self::Json),
            "bjson" => Ok(Self::Bjson),
            _ => Err(format!("mgrctl: there is no output format `{name}`\n")),
        }
    }
}

/// Names and values, in order.
type Fields = Vec<(String, String)>;

/// The answer of a function that did its work.
#[derive(Default)]
pub(super) struct Answer {
    fields: Fields,
    rows: Vec<Fields>,
}

impl Answer {
    /// Nothing to say but "done".
    pub(super) fn done() -> Self {
        Self::default().with("ok", "")
    }

    /// One more scalar.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// A list.
    pub(super) fn list(rows: Vec<Fields>) -> Self {
        Self { rows, ..Self::default() }
    }

    pub(super) fn print(&self, format: Format) -> String {
        match format {
            Format::Text => self.text(),
            Format::Xml => self.xml(),
            Format::Json => json!({"doc": self.json(&|value| json!({"$": value}), None)}).to_string(),
            Format::Bjson => self.json(&|value| value.into(), Some("model")).to_string(),
        }
    }

    fn text(&self) -> String {
        let line = |fields: &Fields| {
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ") + "\n"
        };
        if self.rows.is_empty() { line(&self.fields) } else { self.rows.iter().map(line).collect() }
    }

    fn xml(&self) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<doc lang=\"en\">");
        elements(&mut xml, &self.fields);
        for row in &self.rows {
            xml.push_str("<elem>");
            elements(&mut xml, row);
            xml.push_str("</elem>");
        }
        xml.push_str("</doc>\n");
        xml
    }

    /// Scalars directly or under a key of their own, lists as `elem`.
    fn json(&self, scalar: &dyn Fn(&str) -> Value, under: Option<&str>) -> Value {
        let object = |fields: &Fields| {
            fields.iter().map(|(name, value)| (name.clone(), scalar(value))).collect::<Map<String, Value>>()
        };
        let mut doc = match under {
            Some(key) => Map::from_iter([(key.to_owned(), object(&self.fields).into())]),
            None => object(&self.fields),
        };
        if !self.rows.is_empty() {
            doc.insert("elem".into(), self.rows.iter().map(object).collect::<Vec<_>>().into());
        }
        doc.into()
    }
}

/// The panel refuses: an error of a type, about an object.
#[derive(Debug)]
pub(super) struct Refusal {
    pub kind: String,
    object: String,
    value: String,
    text: String,
}

impl Refusal {
    pub(super) fn new(kind: &str, object: &str, value: &str, text: &str) -> Self {
        Self { kind: kind.into(), object: object.into(), value: value.into(), text: text.into() }
    }

    /// A required parameter is not there.
    pub(super) fn missed(object: &str) -> Self {
        Self::new("missed", object, "", &format!("The required parameter '{object}' is missing"))
    }

    /// A parameter has a value it must not have.
    pub(super) fn value(object: &str, value: &str) -> Self {
        Self::new("value", object, value, &format!("The parameter '{object}' has an invalid value: '{value}'"))
    }

    /// The call does not fit the state of a service.
    pub(super) fn state(object: &str, text: &str) -> Self {
        Self::new("state", object, "", text)
    }

    pub(super) fn print(&self, format: Format) -> String {
        match format {
            Format::Text => format!("ERROR {}({}) {}\n", self.kind, self.object, self.text),
            Format::Xml => self.xml(),
            Format::Json => json!({"doc": {"error": {
                "$type": self.kind, "$object": self.object, "$lang": "en", "msg": {"$": self.text}
            }}})
            .to_string(),
            Format::Bjson => json!({"error": {
                "type": self.kind, "object": self.object, "value": self.value, "msg": self.text
            }})
            .to_string(),
        }
    }

    fn xml(&self) -> String {
        let [kind, object, value, text] = [&self.kind, &self.object, &self.value, &self.text].map(escape);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<doc lang=\"en\"><error type=\"{kind}\" object=\"{object}\" \
             lang=\"en\"><param name=\"object\" type=\"msg\" msg=\"{object}\">{object}</param><param name=\"value\">\
             {value}</param><stack><action level=\"30\" user=\"root\">mgrctl</action></stack><group>{text}</group><msg>\
             {text}</msg></error></doc>\n"
        )
    }
}

/// The stand-in itself could not do it: what a broken database looks like from outside.
impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::new("db", "stand-in", "", &format!("{error:#}"))
    }
}

fn elements(xml: &mut String, fields: &Fields) {
    for (name, value) in fields {
        // Writing to a String cannot fail.
        let _ = match value.as_str() {
            "" => write!(xml, "<{name}/>"),
            value => write!(xml, "<{name}>{}</{name}>", escape(value)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_every_format() {
        let answer = || Answer::default().with("ip.id", "7");
        assert!(answer().print(Format::Xml).ends_with("<doc lang=\"en\"><ip.id>7</ip.id></doc>\n"));
        assert_eq!(answer().print(Format::Json), r#"{"doc":{"ip.id":{"$":"7"}}}"#);
        assert_eq!(answer().print(Format::Bjson), r#"{"model":{"ip.id":"7"}}"#);
        assert_eq!(answer().print(Format::Text), "ip.id=7\n");
    }

    #[test]
    fn an_error_is_a_document_with_type_object_and_text() {
        let xml = Refusal::value("ip", "<1>").print(Format::Xml);
        assert!(xml.contains(r#"<error type="value" object="ip" lang="en">"#), "{xml}");
        assert!(xml.contains("'&lt;1&gt;'") || xml.contains("&apos;&lt;1&gt;&apos;"), "{xml}");
    }
}
