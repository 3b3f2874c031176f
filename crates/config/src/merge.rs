use serde_json::{Map, Value};

/// The configuration that comes of `defaults` and layers over them, the later ones winning.
///
/// Objects are merged field by field; everything else is replaced, lists too. `null` for a field of an
/// object says that this layer has nothing to say of it: what is below stays.
#[must_use]
pub fn merge(defaults: Map<String, Value>, layers: &[&Map<String, Value>]) -> Map<String, Value> {
    layers.iter().fold(defaults, |mut below, layer| {
        lay_over(&mut below, layer);
        below
    })
}

fn lay_over(below: &mut Map<String, Value>, layer: &Map<String, Value>) {
    for (field, value) in layer {
        match (below.get_mut(field), value) {
            (_, Value::Null) => {}
            (Some(Value::Object(below)), Value::Object(layer)) => lay_over(below, layer),
            (Some(below), Value::Object(layer)) => *below = stated(layer),
            (None, Value::Object(layer)) => {
                below.insert(field.clone(), stated(layer));
            }
            (Some(below), value) => *below = value.clone(),
            (None, value) => {
                below.insert(field.clone(), value.clone());
            }
        }
    }
}

/// What an object says by itself: without the fields of which it says nothing.
fn stated(layer: &Map<String, Value>) -> Value {
    let mut own = Map::new();
    lay_over(&mut own, layer);
    Value::Object(own)
}
