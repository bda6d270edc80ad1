//! How rules stand. Whoever evaluates them tells it here after each evaluation, and requests see
//! what was told last.

use std::sync::{Arc, RwLock};

use promql_rules::evaluate::{GroupStatus, RuleManager, SeriesStore};

/// How rules stand, and what they wrote.
#[derive(Debug, Default)]
pub struct Rules {
    told: RwLock<Arc<Told>>,
}

#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) groups: Vec<GroupStatus>,
    written: Arc<SeriesStore>,
}

impl Rules {
    /// Takes over how rules stand at a time, in milliseconds since the epoch. What rules wrote is
    /// copied, so that it can be read while they are evaluated again.
    pub fn tell(&self, manager: &RuleManager, now: i64) {
        let written = Arc::new(manager.store().clone());
        let mut groups = manager.status(now);
        // As a server lists them.
        groups.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
        let told = Arc::new(Told { groups, written });
        match self.told.write() {
            Ok(mut current) => *current = told,
            // A reader that panicked has left nothing half done.
            Err(poisoned) => *poisoned.into_inner() = told,
        }
    }

    pub(crate) fn told(&self) -> Arc<Told> {
        match self.told.read() {
            Ok(current) => Arc::clone(&current),
            Err(poisoned) => Arc::clone(&poisoned.into_inner()),
        }
    }

    pub(crate) fn written(&self) -> Arc<SeriesStore> {
        Arc::clone(&self.told().written)
    }
}
