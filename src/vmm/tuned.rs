//! Limits and modes of a VM beside those that were ordered [api B14].

use serde_json::Value;

use super::body::Fields;
use super::host::Host;

/// Every field, in the order in which people see them.
pub const TUNING: [&str; 9] = [
    "cpu_mode",
    "cpu_custom_model",
    "cpu_weight",
    "io_weight",
    "io_read_mbitps",
    "io_write_mbitps",
    "io_read_iops",
    "io_write_iops",
    "anti_spoofing",
];

/// They go together.
const CPU: [&str; 2] = ["cpu_mode", "cpu_custom_model"];

impl Host {
    /// What the VM has of a field; nothing where this build does not show it.
    pub fn tuned(&self, field: &str) -> Option<&Value> {
        let shown = match field {
            "cpu_mode" => &self.cpu_mode,
            "cpu_custom_model" => &self.cpu_custom_model,
            "cpu_weight" => &self.cpu_weight,
            "io_weight" => &self.io_weight,
            "io_read_mbitps" => &self.io_read_mbitps,
            "io_write_mbitps" => &self.io_write_mbitps,
            "io_read_iops" => &self.io_read_iops,
            "io_write_iops" => &self.io_write_iops,
            "anti_spoofing" => &self.anti_spoofing,
            _ => &None,
        };
        shown.as_ref()
    }

    /// Those of the wanted values that the VM is seen not to have. A mode brings its model with it: VMmanager takes the
    /// two together only.
    pub fn untuned(&self, wanted: &Fields) -> Fields {
        let differs = |field: &str, value: &Value| self.tuned(field).is_some_and(|has| !is_same(value, has));
        let mut differing: Fields = wanted.clone();
        differing.retain(|field, value| differs(field, value));
        if CPU.iter().any(|field| differing.contains_key(field)) {
            let both = wanted.iter().filter(|(field, _)| CPU.contains(*field));
            differing.extend(both.map(|(field, value)| (*field, value.clone())));
        }
        differing
    }
}

/// Builds write numbers as texts and switches as numbers; null is VMmanager's own way.
fn is_same(wanted: &Value, has: &Value) -> bool {
    match (wanted, has) {
        (Value::Bool(on), Value::Null) => !on,
        (Value::Bool(on), has) => *on == ["true", "1", "on"].contains(&bare(has).as_str()),
        (Value::String(mode), Value::Null) => mode == "default",
        (wanted, has) => bare(wanted) == bare(has),
    }
}

/// A value as people write it.
pub fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_in_other_forms_are_the_same() {
        let host: Host = serde_json::from_value(json!({
            "id": 1, "cpu_mode": null, "cpu_weight": "500", "io_weight": 100, "io_read_mbitps": null, "anti_spoofing": 1,
        }))
        .unwrap();
        let wanted = Fields::from([
            ("cpu_mode", json!("default")),
            ("cpu_weight", json!(500)),
            ("io_weight", json!(200)),
            ("io_read_mbitps", json!(8)),
            ("io_write_mbitps", json!(8)),
            ("anti_spoofing", json!(true)),
        ]);
        // What is not shown is not known to differ.
        let differing = Fields::from([("io_weight", json!(200)), ("io_read_mbitps", json!(8))]);
        assert_eq!(host.untuned(&wanted), differing);
        assert_eq!(host.untuned(&Fields::from([("anti_spoofing", json!(false))])).len(), 1);
    }

    #[test]
    fn a_mode_and_its_model_go_together() {
        let host: Host =
            serde_json::from_value(json!({"id": 1, "cpu_mode": "custom", "cpu_custom_model": "EPYC"})).unwrap();
        let wanted = Fields::from([("cpu_mode", json!("custom")), ("cpu_custom_model", json!("Skylake"))]);
        assert_eq!(host.untuned(&wanted), wanted);
        for field in TUNING {
            assert_eq!(host.tuned(field).is_some(), field.starts_with("cpu_") && field != "cpu_weight", "{field}");
        }
    }
}
