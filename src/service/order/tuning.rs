//! Limits and modes that were ordered, by the fields of VMmanager that they become.

use serde_json::Value;

use super::addons::{ANTI_SPOOFING, Addon, CPU_MODE, CPU_MODEL, CPU_WEIGHT, IO_LIMIT, IO_WEIGHT, IOPS_LIMIT};
use super::amount::{bad, choice, disk_speed, find, operations, some, switch};
use crate::error::Result;
use crate::panel::Service;
use crate::vmm::Fields;

/// Modes that VMmanager knows.
const MODES: [&str; 4] = ["default", "host-model", "host-passthrough", "custom"];
const CUSTOM: &str = "custom";
/// Characters of a CPU model's name.
const LONGEST_MODEL: usize = 64;

/// What the order says of limits and modes; what it leaves out is VMmanager's own or the VM configuration's.
pub(super) fn read(service: &Service) -> Result<Fields> {
    let mut tuning = Fields::new();
    let mut put = |addon: &Addon, value: Option<Value>| {
        tuning.extend(value.iter().flat_map(|value| addon.creation.iter().map(|field| (*field, value.clone()))));
    };
    let model = model(service)?;
    // A model without a mode can only mean the one mode that has models.
    let mode = mode(service)?.or(model.filter(|_| find(service, &CPU_MODE).is_none()).map(|_| CUSTOM));
    if mode == Some(CUSTOM) && model.is_none() {
        return Err(bad(
            &CPU_MODE,
            CUSTOM,
            "needs a CPU model",
            "an add-on cpu_custom_model with a model, or another mode",
        ));
    }
    put(&CPU_MODE, mode.map(Value::from));
    // With any other mode a model has no meaning: tariffs offer it beside the modes.
    put(&CPU_MODEL, model.filter(|_| mode == Some(CUSTOM)).map(Value::from));
    put(&CPU_WEIGHT, some(service, &CPU_WEIGHT)?.map(Value::from));
    put(&IO_WEIGHT, some(service, &IO_WEIGHT)?.map(Value::from));
    put(&IO_LIMIT, disk_speed(service, &IO_LIMIT)?.map(Value::from));
    put(&IOPS_LIMIT, operations(service, &IOPS_LIMIT)?.map(Value::from));
    put(&ANTI_SPOOFING, switch(service, &ANTI_SPOOFING)?.map(Value::from));
    Ok(tuning)
}

fn mode(service: &Service) -> Result<Option<&'static str>> {
    let Some(value) = choice(service, &CPU_MODE) else { return Ok(None) };
    let plain = value.to_lowercase().replace(['_', ' '], "-");
    let known = MODES.into_iter().find(|mode| *mode == plain);
    known.map(Some).ok_or_else(|| bad(&CPU_MODE, value, "is no CPU mode", &MODES.join(", ")))
}

fn model(service: &Service) -> Result<Option<&str>> {
    let Some(value) = choice(service, &CPU_MODEL) else { return Ok(None) };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    if value.len() <= LONGEST_MODEL && value.chars().all(plain) {
        return Ok(Some(value));
    }
    Err(bad(&CPU_MODEL, value, "is no CPU model", "a name as VMmanager shows it, like Skylake-Server"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::amount::tests::service;
    use super::*;
    use crate::error::{Error, Kind};

    fn tuned(addons: &[(&str, &str, &str)]) -> Value {
        json!(read(&service(addons)).unwrap())
    }

    #[test]
    fn values_become_fields() {
        assert_eq!(tuned(&[]), json!({}));
        let all = [
            ("cpu_mode", "Host_Model", ""),
            ("cpu_custom_model", "Skylake-Server", ""),
            ("cpu_weight", "500", "piece"),
            ("io_weight", "0", "piece"),
            ("iolimit", "1500", "Kbit/s"),
            ("iopslimit", "1000", "hio"),
            ("anti_spoofing", "on", ""),
        ];
        let fields = json!({
            "cpu_mode": "host-model", "cpu_weight": 500, "io_read_mbitps": 2, "io_write_mbitps": 2, "io_read_iops": 2,
            "io_write_iops": 2, "anti_spoofing": true,
        });
        assert_eq!(tuned(&all), fields);
        let model = json!({"cpu_mode": "custom", "cpu_custom_model": "EPYC-Rome"});
        assert_eq!(tuned(&[("cpu_custom_model", "EPYC-Rome", "")]), model);
        assert_eq!(tuned(&[("cpu_mode", "custom", ""), ("cpu_custom_model", "EPYC-Rome", "")]), model);
        assert_eq!(tuned(&[("cpu_mode", "none", ""), ("cpu_custom_model", "EPYC-Rome", "")]), json!({}));
        assert_eq!(tuned(&[("anti_spoofing", "0", "")]), json!({"anti_spoofing": false}));
    }

    #[test]
    fn values_that_cannot_be_understood() {
        let refused = |addons: &[(&str, &str, &str)]| read(&service(addons)).unwrap_err();
        let is = |error: Error, name: &str, parts: &[&str]| {
            assert_eq!((error.kind, error.object.as_str()), (Kind::BadParam, name), "{error}");
            let (text, cure) = (error.text.clone(), error.cure.clone().unwrap());
            assert!(parts.iter().all(|part| text.contains(part) || cure.contains(part)), "{error} {cure}");
        };
        is(refused(&[("cpu_mode", "turbo", "")]), "cpu_mode", &["\"turbo\"", "host-passthrough"]);
        is(refused(&[("cpu_mode", "custom", "")]), "cpu_mode", &["\"custom\"", "cpu_custom_model"]);
        is(refused(&[("cpu_custom_model", "a b", "")]), "cpu_custom_model", &["\"a b\""]);
        is(refused(&[("cpu_weight", "-1", "")]), "cpu_weight", &["\"-1\"", "whole number"]);
        is(refused(&[("io_weight", "1e3", "")]), "io_weight", &["\"1e3\""]);
        is(refused(&[("iolimit", "10", "")]), "iolimit", &["\"10\"", "no unit", "MiB"]);
        is(refused(&[("anti_spoofing", "maybe", "")]), "anti_spoofing", &["\"maybe\"", "on, off"]);
        for (name, unit) in [("iolimit", "mhz"), ("iopslimit", "mhz")] {
            let error = refused(&[(name, "10", unit)]);
            assert_eq!((error.kind, error.object.as_str()), (Kind::BadParam, name), "{error}");
        }
    }
}
