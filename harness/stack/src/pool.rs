//! A pool of identical, isolated stacks: exclusive checks run in parallel, each on a stack of its own.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{OptionFuture, join_all};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::spec::StackSpec;
use super::stack::Stack;
use super::stack_error::StackError;

/// Why the pool has no stack; an `Arc`, because all callers that wait for the stack get the same error.
pub type PoolError = Arc<StackError>;

/// Identical, isolated stacks that are started on first use.
#[derive(Clone, Debug)]
pub struct StackPool(Arc<SharedPool>);

#[derive(Debug)]
struct SharedPool {
    spec: StackSpec,
    shared: OnceCell<Result<Arc<Stack>, PoolError>>,
    idle: Mutex<Vec<Arc<Stack>>>,
    free: Arc<Semaphore>,
}

impl StackPool {
    /// A pool with one shared stack and at most `exclusive` stacks for exclusive use.
    pub fn new(spec: StackSpec, exclusive: usize) -> Self {
        Self(Arc::new(SharedPool {
            spec,
            shared: OnceCell::new(),
            idle: Mutex::default(),
            free: Arc::new(Semaphore::new(exclusive.max(1))),
        }))
    }

    /// The shared stack, whose services connect without links: no fault is injected there. It is
    /// started once; if the start fails, every caller gets the error.
    pub async fn shared(&self) -> Result<Arc<Stack>, PoolError> {
        let started = || async {
            let spec = self.0.spec.without_links();
            Ok(Arc::new(Stack::start(&spec).await?))
        };
        self.0.shared.get_or_init(started).await.clone()
    }

    /// A healthy stack for exclusive use: an idle one if there is one, otherwise a new one.
    ///
    /// This waits until a stack is free. The wait must not count against the check's time budget.
    pub async fn exclusive(&self) -> Result<StackLease, PoolError> {
        let permit = self.permit().await;
        self.lease(permit).await
    }

    /// A new stack for exclusive use; it replaces an idle stack if there is one.
    pub async fn fresh(&self) -> Result<StackLease, PoolError> {
        let permit = self.permit().await;
        let idle = self.0.idle().pop();
        if let Some(used) = idle {
            remove(&used).await;
        }
        self.start(permit).await
    }

    /// Waits for a permit. It is `None` only if the semaphore is closed, which never happens.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.free).acquire_owned().await.ok()
    }

    /// Starts up to `count` exclusive stacks in advance, as far as permits are available.
    pub async fn warm_up(&self, count: usize) -> Result<(), PoolError> {
        let permits = (0..count).map_while(|_| Arc::clone(&self.0.free).try_acquire_owned().ok());
        let leases = permits.map(|permit| self.lease(Some(permit)));
        for lease in join_all(leases).await {
            lease?.release().await;
        }
        Ok(())
    }

    /// Stops every stack that is not leased.
    pub async fn stop_all(&self) -> Result<(), PoolError> {
        let idle = std::mem::take(&mut *self.0.idle());
        let shared = self.0.shared.get().and_then(|started| started.clone().ok());
        let stacks: Vec<_> = idle.into_iter().chain(shared).collect();
        let stopped = join_all(stacks.iter().map(|stack| stack.stop())).await;
        let outcome: Result<(), StackError> = stopped.into_iter().collect();
        Ok(outcome?)
    }

    async fn lease(&self, permit: Option<OwnedSemaphorePermit>) -> Result<StackLease, PoolError> {
        let idle = self.0.idle().pop();
        let healthy = OptionFuture::from(idle.map(keep_if_healthy)).await;
        match healthy.flatten() {
            Some(stack) => Ok(self.leased(stack, permit)),
            None => self.start(permit).await,
        }
    }

    async fn start(&self, permit: Option<OwnedSemaphorePermit>) -> Result<StackLease, PoolError> {
        let stack = Arc::new(Stack::start(&self.0.spec).await?);
        Ok(self.leased(stack, permit))
    }

    fn leased(&self, stack: Arc<Stack>, permit: Option<OwnedSemaphorePermit>) -> StackLease {
        StackLease {
            stack,
            pool: Arc::clone(&self.0),
            _permit: permit,
        }
    }
}

impl SharedPool {
    fn idle(&self) -> MutexGuard<'_, Vec<Arc<Stack>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes a stack that is no longer healthy; a new one is cheap.
async fn keep_if_healthy(stack: Arc<Stack>) -> Option<Arc<Stack>> {
    if stack.is_healthy().await {
        return Some(stack);
    }
    remove(&stack).await;
    None
}

async fn remove(stack: &Stack) {
    if let Err(error) = stack.stop().await {
        tracing::warn!(%error, "a pooled stack was not removed completely; run `cutover sweep`");
    }
}

/// The exclusive use of a stack.
#[derive(Debug)]
#[must_use = "call release() to return the stack to the pool; dropping the lease removes the stack"]
pub struct StackLease {
    stack: Arc<Stack>,
    pool: Arc<SharedPool>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl StackLease {
    /// The stack, independent of the lease's lifetime; do not use it after the release.
    pub fn stack(&self) -> Arc<Stack> {
        Arc::clone(&self.stack)
    }

    /// Restores the number of workers and returns the stack to the pool.
    pub async fn release(self) {
        let workers = self.stack.spec().workers;
        if let Err(error) = self.stack.scale_workers(workers).await {
            tracing::debug!(%error, "the number of workers could not be restored");
        }
        if let Some(stack) = keep_if_healthy(Arc::clone(&self.stack)).await {
            self.pool.idle().push(stack);
        }
    }
}

impl Deref for StackLease {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.stack
    }
}
