//! What all the operations of one query share.

use promql_syntax::Query;

use crate::annotations::Annotations;
use crate::limits::Limits;
use crate::options::EngineOptions;
use crate::storage::Storage;
use crate::workers::Workers;

/// One evaluation.
pub(crate) struct Context<'a> {
    pub(crate) query: &'a Query,
    pub(crate) storage: &'a dyn Storage,
    pub(crate) options: &'a EngineOptions,
    pub(crate) limits: Limits,
    pub(crate) annotations: Annotations,
    pub(crate) workers: Workers,
    /// How many operations the plan has. Operations keep what they know about timestamps under
    /// their numbers; this is the next one.
    pub(crate) operations: usize,
}
