//! What a hook answers.

use enlist_ops::HookAnswer;
use serde_json::{Value, json};

/// Reads an answer. What is taken is within its bounds, and reads the same when it is written again.
///
/// # Panics
/// When it is not.
pub fn hook_answer(data: &[u8]) -> bool {
    let Ok(read) = HookAnswer::read(data) else {
        return false;
    };
    assert!(!data.is_empty());
    let is_line = |text: &String| !text.is_empty() && !text.chars().any(char::is_control);
    let reason = read.reason.as_ref();
    assert!(reason.is_none_or(|reason| is_line(reason) && reason.chars().count() <= 200));
    assert!(read.labels.len() <= 32);
    let fits =
        |(key, value): (&String, &String)| is_line(key) && key.len() <= 63 && value.len() <= 255;
    assert!(read.labels.iter().all(fits));
    let names = [&read.group, &read.name];
    assert!(
        names
            .into_iter()
            .flatten()
            .all(|name| name.as_str().len() <= 63)
    );
    let text = |name: &Option<enlist_core::Name>| name.as_ref().map(ToString::to_string);
    let written = json!({
        "allow": read.allow,
        "reason": read.reason,
        "tell": read.tell,
        "group": text(&read.group),
        "name": text(&read.name),
        "labels": read.labels,
        "configuration": read.configuration.clone().map(Value::Object),
    });
    let again = HookAnswer::read(written.to_string().as_bytes());
    let Ok(again) = again else {
        panic!("what was read can't be written: {written}");
    };
    assert_eq!(again.allow, read.allow);
    assert_eq!((again.group, again.name), (read.group, read.name));
    assert_eq!(again.labels, read.labels);
    true
}
