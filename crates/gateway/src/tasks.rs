//! Everything that runs beside the accept loop: connections, HTTP/2 streams, answers that are read
//! to their end after the client has gone. All of it may post to the ledger, so a stop waits here
//! until the last is gone, and only then ends the writer.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinSet;

/// The running tasks. Cheap to clone; also hyper's executor.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    running: Arc<Mutex<JoinSet<()>>>,
}

impl Tasks {
    /// Starts one; its panic is its own.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.lock().spawn(task);
    }

    /// Gives back the memory of those that ended; to be called about once a second.
    pub fn reap(&self) {
        let mut running = self.lock();
        while running.try_join_next().is_some() {}
    }

    /// Waits until all have ended, those included that they start meanwhile; whether they did so by
    /// themselves. What still runs when it is `enough` is aborted: its requests settle as seen
    /// while it is dropped.
    pub async fn finish(&self, enough: impl Future<Output = ()>) -> bool {
        let mut enough = pin!(enough);
        let mut patient = true;
        loop {
            let mut running = std::mem::take(&mut *self.lock());
            if running.is_empty() {
                return patient;
            }
            if patient {
                let ended = async { while running.join_next().await.is_some() {} };
                tokio::select! {
                    () = ended => continue,
                    () = &mut enough => patient = false,
                }
            }
            running.shutdown().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        // Nothing is left half done by the calls made under this lock.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> hyper::rt::Executor<T> for Tasks
where
    T: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: T) {
        self.spawn(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::pending, sync::mpsc};
    use tokio::{sync::oneshot, task::yield_now};

    /// Says that it was dropped.
    struct Guard(mpsc::Sender<&'static str>, &'static str);

    impl Drop for Guard {
        fn drop(&mut self) {
            let _gone = self.0.send(self.1);
        }
    }

    #[tokio::test]
    async fn what_tasks_start_while_they_end_is_waited_for() {
        let tasks = Tasks::default();
        let (sender, ended) = mpsc::channel();
        let inner = tasks.clone();
        tasks.spawn(async move {
            yield_now().await;
            inner.spawn(async move {
                yield_now().await;
                drop(Guard(sender, "inner"));
            });
        });
        let all_ended = tasks.finish(pending()).await;
        assert!(all_ended);
        assert_eq!(ended.try_recv(), Ok("inner"));
    }

    #[tokio::test]
    async fn what_runs_too_long_is_dropped_before_finishing() {
        let tasks = Tasks::default();
        let (sender, ended) = mpsc::channel();
        let (started, running) = oneshot::channel();
        tasks.spawn(async move {
            let _guard = Guard(sender, "endless");
            let _gone = started.send(());
            pending::<()>().await;
        });
        let enough = async {
            running.await.expect("it has started");
        };
        let all_ended = tasks.finish(enough).await;
        assert!(!all_ended);
        assert_eq!(ended.try_recv(), Ok("endless"));
    }

    #[tokio::test]
    async fn tasks_that_ended_are_forgotten() {
        let tasks = Tasks::default();
        for _ in 0..3 {
            tasks.spawn(async {});
        }
        while !tasks.lock().is_empty() {
            yield_now().await;
            tasks.reap();
        }
    }
}
