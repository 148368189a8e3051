//! Ways to spoil a good answer.

use serde_json::Value;

use crate::action::DownMode;

/// Stands for a number no integer type holds; replaced after printing, because `Value` cannot hold it either.
const HUGE_MARK: &str = "@huge@";
const HUGE: &str = "99999999999999999999999999";

/// Numbers and flags become text, lists of objects become objects.
fn wrong_types(value: &mut Value) {
    match value {
        Value::Number(_) | Value::Bool(_) => *value = Value::String(value.to_string()),
        Value::Array(list) if !list.is_empty() => {
            let mut first = list.swap_remove(0);
            wrong_types(&mut first);
            *value = serde_json::json!({"item": first});
        }
        Value::Object(object) => object.values_mut().for_each(wrong_types),
        _ => {}
    }
}

/// Numbers and years beyond every type.
fn huge_numbers(value: &mut Value) {
    match value {
        Value::Number(_) => *value = Value::String(HUGE_MARK.to_owned()),
        Value::String(text) if crate::times::parse_ms(text).is_some() => {
            *text = "292277026596-12-04T15:30:08Z".to_owned();
        }
        Value::Array(list) => list.iter_mut().for_each(huge_numbers),
        Value::Object(object) => object.values_mut().for_each(huge_numbers),
        _ => {}
    }
}

/// Spoils a JSON body; modes that are no matter of the body leave it alone.
pub(crate) fn spoil(body: &str, mode: DownMode) -> Vec<u8> {
    let mut value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    match mode {
        DownMode::WrongTypes => {
            wrong_types(&mut value);
            value.to_string().into_bytes()
        }
        DownMode::HugeNumbers => {
            huge_numbers(&mut value);
            value
                .to_string()
                .replace(&format!("\"{HUGE_MARK}\""), HUGE)
                .into_bytes()
        }
        DownMode::WrongEncoding => latin1(&value.to_string()),
        DownMode::Garbage => {
            let mut bytes = vec![b'{', 0, 0xff, 0xfe];
            bytes.extend(body.bytes().take(2000).map(|byte| byte.wrapping_mul(167)));
            bytes
        }
        _ => body.as_bytes().to_vec(),
    }
}

/// What a writer with the wrong code page produces: one byte per letter, invalid as UTF-8.
fn latin1(text: &str) -> Vec<u8> {
    let with_umlaut = text.replacen("\"value\"", "\"wärn\":\"ü\",\"value\"", 1);
    with_umlaut
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'\xbf'))
        .chain([0xfc])
        .collect()
}

/// Enumerations get members nobody has seen.
pub(crate) fn unknown_members(value: &mut Value) {
    const ENUMS: &[&str] = &[
        "code",
        "state",
        "status",
        "reason",
        "provisioningAction",
        "provisioningStepType",
        "result",
    ];
    match value {
        Value::Array(list) => list.iter_mut().for_each(unknown_members),
        Value::Object(object) => {
            let is_error =
                object.contains_key("message") || object.contains_key("tenantActionable");
            for (name, inner) in object.iter_mut() {
                if inner.is_string() && ENUMS.contains(&name.as_str()) && !is_error {
                    *inner = Value::String("addedInNextRelease".to_owned());
                } else {
                    unknown_members(inner);
                }
            }
        }
        _ => {}
    }
}

/// Everything that may be null is null: all but ids, links and the list itself.
pub(crate) fn null_fields(value: &mut Value) {
    if let Some(list) = value.get_mut("value").and_then(Value::as_array_mut) {
        list.iter_mut().for_each(null_members);
    } else {
        null_members(value);
    }
}

fn null_members(value: &mut Value) {
    const KEPT: &[&str] = &["id", "templateId", "activityDateTime", "jobId"];
    if let Some(object) = value.as_object_mut() {
        for (name, inner) in object.iter_mut() {
            if name.starts_with('@') || KEPT.contains(&name.as_str()) {
                continue;
            }
            // Objects keep their place, their members go; schedules and states of status are required.
            match inner {
                Value::Object(_) if name == "status" || name == "schedule" => null_members(inner),
                Value::String(_) if ["code", "interval", "state"].contains(&name.as_str()) => {}
                other => *other = Value::Null,
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_mode_spoils_in_its_own_way() {
        let body =
            json!({"value": [{"n": 1, "ok": true, "at": "2026-01-01T00:00:00Z"}]}).to_string();
        let types: Value = serde_json::from_slice(&spoil(&body, DownMode::WrongTypes)).unwrap();
        assert_eq!(types["value"]["item"]["n"], "1");
        let huge = String::from_utf8(spoil(&body, DownMode::HugeNumbers)).unwrap();
        assert!(huge.contains("\"n\":99999999999999999999999999"), "{huge}");
        assert!(huge.contains("292277026596"));
        assert!(std::str::from_utf8(&spoil(&body, DownMode::WrongEncoding)).is_err());
        assert!(serde_json::from_slice::<Value>(&spoil(&body, DownMode::Garbage)).is_err());
    }

    #[test]
    fn null_fields_keep_what_is_required() {
        let mut job = json!({"value": [{"id": "a", "schedule": {"interval": "PT20M", "expiration": "x"}, "status": {"code": "Active", "lastExecution": {}}}]});
        null_fields(&mut job);
        assert_eq!(
            job["value"][0]["schedule"],
            json!({"interval": "PT20M", "expiration": null})
        );
        assert_eq!(
            job["value"][0]["status"],
            json!({"code": "Active", "lastExecution": null})
        );
    }

    #[test]
    fn unknown_members_spare_error_codes() {
        let mut value =
            json!({"status": {"code": "Active"}, "error": {"code": "X", "message": "y"}});
        unknown_members(&mut value);
        assert_eq!(
            value,
            json!({"status": {"code": "addedInNextRelease"}, "error": {"code": "X", "message": "y"}})
        );
    }
}
