//! What was found out about a text before.
//!
//! Rules of one house repeat themselves: ten thousand of them have some hundred regular expressions. What
//! takes long to find out about a text is kept for the next rule that has it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

/// More texts than this are not remembered.
const MANY: usize = 1 << 16;

/// Values by the text that they are made of. Can be asked by several threads; a value may then be made
/// more than once, so it has to be the same each time.
pub(crate) struct Memo<V>(RwLock<HashMap<Box<[u8]>, V>>);

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Memo(RwLock::default())
    }
}

/// How many texts are known.
impl<V> fmt::Debug for Memo<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        write!(f, "Memo({})", known.len())
    }
}

impl<V: Clone> Memo<V> {
    /// The value of a text, which is made if it isn't known.
    pub(crate) fn get(&self, text: &[u8], make: impl FnOnce() -> V) -> V {
        if let Some(value) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(text) {
            return value.clone();
        }
        let value = make();
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MANY {
            known.entry(text.into()).or_insert_with(|| value.clone());
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::Memo;

    #[test]
    fn a_value_is_made_once() {
        let memo = Memo::default();
        assert_eq!(memo.get(b"a", || 1), 1);
        assert_eq!(memo.get(b"a", || 2), 1);
        assert_eq!(memo.get(b"b", || 3), 3);
        assert_eq!(format!("{memo:?}"), "Memo(2)");
    }
}
