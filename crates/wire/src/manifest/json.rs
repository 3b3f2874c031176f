//! JSON: one array, or a value on each line.

use serde_json::Value;

use super::reader::{ByteOrderMark, LONGEST, ManifestFileError, ManifestRow, only, pair};

/// A reader of JSON that takes apart one value at a time.
#[derive(Debug)]
pub(super) struct Json {
    kinds: Vec<String>,
    mark: ByteOrderMark,
    place: Place,
    value: Vec<u8>,
    rows: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first byte that counts, which says whether it is an array.
    Before,
    /// Where each line is a value.
    Line,
    /// In the array, so many brackets deep.
    Within { depth: usize },
    /// In a text within it.
    Text { depth: usize, escaped: bool },
    /// Behind the array.
    Behind,
}

impl Json {
    pub(super) fn new(kinds: Vec<String>) -> Self {
        Self {
            kinds,
            mark: ByteOrderMark::default(),
            place: Place::Before,
            value: Vec::new(),
            rows: 0,
        }
    }

    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        rows: &mut Vec<ManifestRow>,
    ) -> Result<(), ManifestFileError> {
        let bytes = self.mark.cut(bytes);
        for byte in bytes {
            self.byte(*byte, rows)?;
            if self.value.len() > LONGEST {
                return Err(ManifestFileError::TooLong { row: self.rows + 1 });
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, rows: &mut Vec<ManifestRow>) -> Result<(), ManifestFileError> {
        match self.place {
            Place::Behind => Ok(()),
            Place::Line => {
                self.end_line(rows);
                Ok(())
            }
            Place::Before => Err(ManifestFileError::Cut { row: 0 }),
            _ => Err(ManifestFileError::Cut { row: self.rows }),
        }
    }

    fn byte(&mut self, byte: u8, rows: &mut Vec<ManifestRow>) -> Result<(), ManifestFileError> {
        match (self.place, byte) {
            (Place::Line, b'\n') => self.end_line(rows),
            (Place::Line, _) => self.value.push(byte),
            (Place::Before, b'[') => {
                self.place = Place::Within { depth: 0 };
                self.rows = 0;
            }
            (Place::Before, b'\n') => self.rows += 1,
            (Place::Before | Place::Behind, byte) if byte.is_ascii_whitespace() => {}
            (Place::Before, _) => {
                self.place = Place::Line;
                self.value.push(byte);
            }
            (Place::Behind, _) => {
                return Err(ManifestFileError::NotAnArray { row: self.rows });
            }
            (Place::Within { depth: 0 }, b',') => self.end_value(rows),
            (Place::Within { depth: 0 }, b']') => {
                // An array that is empty, and not one that ends with a comma.
                if self.rows > 0 || !self.value.trim_ascii().is_empty() {
                    self.end_value(rows);
                }
                self.place = Place::Behind;
            }
            (Place::Within { depth }, _) => {
                self.place = match byte {
                    b'"' => Place::Text {
                        depth,
                        escaped: false,
                    },
                    b'[' | b'{' => Place::Within { depth: depth + 1 },
                    b']' | b'}' => Place::Within {
                        depth: depth.saturating_sub(1),
                    },
                    _ => self.place,
                };
                self.value.push(byte);
            }
            (Place::Text { depth, escaped }, _) => {
                self.place = match byte {
                    b'"' if !escaped => Place::Within { depth },
                    _ => Place::Text {
                        depth,
                        escaped: byte == b'\\' && !escaped,
                    },
                };
                self.value.push(byte);
            }
        }
        Ok(())
    }

    fn end_line(&mut self, rows: &mut Vec<ManifestRow>) {
        if self.value.trim_ascii().is_empty() {
            // It counts: people look for a line by its number.
            self.rows += 1;
            self.value.clear();
        } else {
            self.end_value(rows);
        }
    }

    fn end_value(&mut self, rows: &mut Vec<ManifestRow>) {
        self.rows += 1;
        rows.push(ManifestRow {
            row: self.rows,
            identity: identity(&self.value, &self.kinds),
        });
        self.value.clear();
    }
}

/// The identity in one value: `"kind:value"`, `{"kind": …, "value": …}`, or `{"serial": …}`.
fn identity(json: &[u8], kinds: &[String]) -> Result<(String, String), String> {
    let object = match serde_json::from_slice(json) {
        Ok(Value::String(text)) => {
            let (kind, value) = text.split_once(':').ok_or("a text without a kind")?;
            return pair(kind, value);
        }
        Ok(Value::Object(object)) => object,
        Ok(_) => return Err("neither a text nor an object".to_owned()),
        Err(error) => return Err(format!("not JSON: {error}")),
    };
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    if let (Some(kind), Some(value)) = (text("kind"), text("value")) {
        return pair(kind, value);
    }
    for kind in kinds {
        if object
            .get(kind)
            .is_some_and(|value| !value.is_string() && !value.is_null())
        {
            return Err(format!("`{kind}` is no text: put its value in quotes"));
        }
    }
    let found = kinds
        .iter()
        .filter_map(|kind| Some((kind.as_str(), text(kind)?.trim())));
    only(found.filter(|(_, value)| !value.is_empty()))
}
