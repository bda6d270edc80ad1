//! What all the operations of one query share.

use std::sync::Arc;

use promql_syntax::Query;

use crate::annotations::Annotations;
use crate::limits::Limits;
use crate::options::EngineOptions;
use crate::parts::Recorder;
use crate::statistics::Collector;
use crate::storage::Storage;
use crate::workers::Workers;

/// One evaluation.
pub(crate) struct Context<'a> {
    pub(crate) query: &'a Query,
    pub(crate) storage: &'a dyn Storage,
    pub(crate) options: &'a EngineOptions,
    pub(crate) limits: Arc<Limits>,
    pub(crate) annotations: Annotations,
    pub(crate) workers: Workers,
    /// Where statistics go, if anybody wants them.
    pub(crate) statistics: Option<Arc<Collector>>,
    /// Where the values of the parts go, likewise.
    pub(crate) recorder: Option<&'a Recorder>,
    /// How many operations the plan has. Operations keep what they know about timestamps under
    /// their numbers; this is the next one.
    pub(crate) operations: usize,
}
