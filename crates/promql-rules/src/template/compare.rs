//! Comparisons, and access to the elements of lists, maps and texts: Go's own functions.

use std::cmp::Ordering;

use super::printf;
use super::value::{IntType, List, Value};

/// The values that can be compared by size. Different ones can't be compared with each other,
/// integers with and without sign excepted.
#[derive(Clone, Copy)]
enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(&'a str),
}

fn basic(value: &Value) -> Option<Basic<'_>> {
    Some(match value {
        Value::Bool(value) => Basic::Bool(*value),
        Value::Int(value, _) => Basic::Int(*value),
        Value::Uint(value, _) => Basic::Uint(*value),
        Value::Float(value) => Basic::Float(*value),
        Value::Text(text) | Value::Html(text) => Basic::Text(text),
        _ => return None,
    })
}

fn incompatible(a: &Value, b: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name())
}

fn nothing() -> &'static Value {
    &Value::Nil
}

/// `eq`
pub(super) fn equal(values: &[Value]) -> Result<Value, String> {
    let (first, others) = values.split_first().unwrap_or((nothing(), &[]));
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if is_equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn is_equal(a: &Value, b: &Value) -> Result<bool, String> {
    let non_comparable = |value: &Value| {
        Err(format!("non-comparable type {}: {}", printf::show(value), value.type_name()))
    };
    match (basic(a), basic(b)) {
        (Some(Basic::Bool(a)), Some(Basic::Bool(b))) => Ok(a == b),
        (Some(Basic::Int(a)), Some(Basic::Int(b))) => Ok(a == b),
        (Some(Basic::Uint(a)), Some(Basic::Uint(b))) => Ok(a == b),
        (Some(Basic::Int(a)), Some(Basic::Uint(b)))
        | (Some(Basic::Uint(b)), Some(Basic::Int(a))) => Ok(u64::try_from(a).is_ok_and(|a| a == b)),
        (Some(Basic::Float(a)), Some(Basic::Float(b))) => Ok(a == b),
        (Some(Basic::Text(a)), Some(Basic::Text(b))) => Ok(a == b),
        (Some(_), _) | (_, Some(_)) => match (a, b) {
            (Value::Nil, _) | (_, Value::Nil) => Ok(false),
            _ => Err(incompatible(a, b)),
        },
        (None, None) => match (a, b) {
            (Value::Nil, Value::Nil) => Ok(true),
            (Value::Nil, _) | (_, Value::Nil) => Ok(false),
            (Value::Time(a), Value::Time(b)) => Ok(a == b),
            (Value::Duration(a), Value::Duration(b)) => Ok(a == b),
            (_, Value::Labels(_) | Value::Map(_) | Value::List(_) | Value::Alert(_)) => {
                non_comparable(b)
            }
            (Value::Labels(_) | Value::Map(_) | Value::List(_) | Value::Alert(_), _) => {
                non_comparable(a)
            }
            _ => Ok(false),
        },
    }
}

/// `ne`
pub(super) fn not_equal(values: &[Value]) -> Result<Value, String> {
    let [a, b] = values else { return Err("missing argument for comparison".to_owned()) };
    Ok(Value::Bool(!is_equal(a, b)?))
}

fn order(values: &[Value]) -> Result<Option<Ordering>, String> {
    let [a, b] = values else { return Err("missing argument for comparison".to_owned()) };
    const BAD: &str = "invalid type for comparison";
    match (basic(a).ok_or(BAD)?, basic(b).ok_or(BAD)?) {
        (Basic::Int(a), Basic::Int(b)) => Ok(Some(a.cmp(&b))),
        (Basic::Uint(a), Basic::Uint(b)) => Ok(Some(a.cmp(&b))),
        (Basic::Int(a), Basic::Uint(b)) => Ok(Some(i128::from(a).cmp(&i128::from(b)))),
        (Basic::Uint(a), Basic::Int(b)) => Ok(Some(i128::from(a).cmp(&i128::from(b)))),
        (Basic::Float(a), Basic::Float(b)) => Ok(a.partial_cmp(&b)),
        (Basic::Text(a), Basic::Text(b)) => Ok(Some(a.cmp(b))),
        (Basic::Bool(_), Basic::Bool(_)) => Err(BAD.to_owned()),
        _ => Err(incompatible(a, b)),
    }
}

/// `lt`
pub(super) fn less(values: &[Value]) -> Result<Value, String> {
    Ok(Value::Bool(order(values)? == Some(Ordering::Less)))
}

/// `le`
pub(super) fn less_or_equal(values: &[Value]) -> Result<Value, String> {
    Ok(Value::Bool(matches!(order(values)?, Some(Ordering::Less | Ordering::Equal))))
}

/// `gt`, which is `not le`: with NaN it is true.
pub(super) fn greater(values: &[Value]) -> Result<Value, String> {
    Ok(Value::Bool(!matches!(order(values)?, Some(Ordering::Less | Ordering::Equal))))
}

/// `ge`, which is `not lt`.
pub(super) fn greater_or_equal(values: &[Value]) -> Result<Value, String> {
    Ok(Value::Bool(order(values)? != Some(Ordering::Less)))
}

/// A position in something of so many elements.
fn position(index: &Value, length: usize) -> Result<usize, String> {
    let index = match index {
        Value::Int(index, _) => *index,
        Value::Uint(index, _) => *index as i64,
        Value::Nil => return Err("cannot index slice/array with nil".to_owned()),
        other => {
            return Err(format!("cannot index slice/array with type {}", other.type_name()));
        }
    };
    let position = usize::try_from(index).ok().filter(|position| *position <= length);
    position.ok_or_else(|| format!("index out of range: {index}"))
}

fn key(index: &Value) -> Result<&str, String> {
    match index {
        Value::Text(text) => Ok(text),
        Value::Nil => Err("value is nil; should be of type string".to_owned()),
        other => Err(format!("value has type {}; should be string", other.type_name())),
    }
}

/// `index`
pub(super) fn index(values: &[Value]) -> Result<Value, String> {
    let (item, indexes) = values.split_first().unwrap_or((nothing(), &[]));
    if matches!(item, Value::Nil) {
        return Err("index of untyped nil".to_owned());
    }
    let mut item = item.clone();
    for index in indexes {
        item = match &item {
            Value::List(list) => {
                let at = position(index, list.elements.len())?;
                let element = list.elements.get(at).cloned();
                element.ok_or("reflect: slice index out of range")?
            }
            Value::Text(text) => {
                let at = position(index, text.len())?;
                let byte = text.as_bytes().get(at).ok_or("reflect: string index out of range")?;
                Value::Int(i64::from(*byte), IntType::Int)
            }
            Value::Labels(map) => Value::text(map.get(key(index)?).map_or("", String::as_str)),
            Value::Map(map) => map.get(key(index)?).cloned().unwrap_or(Value::Nil),
            Value::Nil => return Err("index of nil pointer".to_owned()),
            other => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(item)
}

/// `slice`
pub(super) fn slice(values: &[Value]) -> Result<Value, String> {
    let (item, indexes) = values.split_first().unwrap_or((nothing(), &[]));
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let length = match item {
        Value::Nil => return Err("slice of untyped nil".to_owned()),
        Value::Text(_) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".to_owned());
        }
        Value::Text(text) => text.len(),
        Value::List(list) => list.elements.len(),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let mut ends = [0, length, length];
    for (end, index) in ends.iter_mut().zip(indexes) {
        *end = position(index, length)?;
    }
    let [from, to, capacity] = ends;
    for (low, high) in [(from, to), (to, capacity)] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}"));
        }
    }
    Ok(match item {
        Value::List(list) => Value::List(List {
            elements: list.elements.get(from..to).unwrap_or_default().into(),
            type_name: list.type_name,
        }),
        Value::Text(text) => {
            let bytes = text.as_bytes().get(from..to).unwrap_or_default();
            Value::text(String::from_utf8_lossy(bytes))
        }
        _ => Value::Nil,
    })
}

/// `len`
pub(super) fn length(values: &[Value]) -> Result<Value, String> {
    let length = match values.first().unwrap_or(nothing()) {
        Value::Text(text) | Value::Html(text) => text.len(),
        Value::List(list) => list.elements.len(),
        Value::Labels(map) => map.len(),
        Value::Map(map) => map.len(),
        Value::Nil => return Err("len of nil pointer".to_owned()),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::int(i64::try_from(length).unwrap_or(i64::MAX)))
}
