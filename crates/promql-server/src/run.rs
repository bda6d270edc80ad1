//! Work that takes time: so much at once, on threads of its own, and no longer than somebody waits
//! for it.

use promql_engine::Cancellation;

use crate::Api;
use crate::failure::{Failure, Kind};

/// Cancels what is under way when it is dropped, which is what happens to the future that waits
/// for an answer when the client goes away.
struct CancelOnDrop(Cancellation);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Api {
    /// Runs some work when there is room for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Api, Cancellation) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let room = self.permits.clone().acquire_owned().await;
        let cancellation = Cancellation::default();
        let _guard = CancelOnDrop(cancellation.clone());
        let api = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _room = room;
            work(&api, cancellation)
        });
        done.await.unwrap_or_else(|_| {
            Err(Failure::new(Kind::Internal, "the work ended in an unexpected way"))
        })
    }
}
