//! A pool of identical, isolated stacks: checks that must be alone run side by side, one per lane.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{OptionFuture, join_all};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::running::Stack;
use super::spec::StackSpec;
use super::start::StackError;

/// Why there is no lane; shared, for all who wait for one are told the same.
pub type PoolError = Arc<StackError>;

/// Identical, isolated stacks, started when they are first asked for.
#[derive(Clone, Debug)]
pub struct StackPool(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    spec: StackSpec,
    shared: OnceCell<Result<Arc<Stack>, PoolError>>,
    idle: Mutex<Vec<Arc<Stack>>>,
    free: Arc<Semaphore>,
}

impl StackPool {
    /// Stacks of one kind: one that is shared, and at most so many for exclusive use.
    pub fn new(spec: StackSpec, exclusive: usize) -> Self {
        Self(Arc::new(Pool {
            spec,
            shared: OnceCell::new(),
            idle: Mutex::default(),
            free: Arc::new(Semaphore::new(exclusive.max(1))),
        }))
    }

    /// The stack that all share, started once; when that fails, it has failed for everyone.
    pub async fn shared(&self) -> Result<Arc<Stack>, PoolError> {
        let started = || async { Ok(Arc::new(Stack::start(&self.0.spec).await?)) };
        self.0.shared.get_or_init(started).await.clone()
    }

    /// A sound stack of the caller's own: an idle one, or a new one while there may be more.
    ///
    /// An idle one has as many workers as its last holder left it.
    ///
    /// This waits until a lane is free; the wait belongs to nobody's time budget.
    pub async fn exclusive(&self) -> Result<StackLease, PoolError> {
        let permit = self.permit().await;
        self.lease(permit).await
    }

    /// A new stack of the caller's own, in the place of an idle one where there is one.
    pub async fn fresh(&self) -> Result<StackLease, PoolError> {
        let permit = self.permit().await;
        let idle = self.0.idle().pop();
        if let Some(used) = idle {
            remove(&used).await;
        }
        self.start(permit).await
    }

    /// Waits for the right to a lane. The semaphore is never closed, so there always is one in the end.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.free).acquire_owned().await.ok()
    }

    /// Starts exclusive lanes before they are asked for, as far as they are free.
    pub async fn warm_up(&self, count: usize) -> Result<(), PoolError> {
        let permits = (0..count).map_while(|_| Arc::clone(&self.0.free).try_acquire_owned().ok());
        let leases = permits.map(|permit| self.lease(Some(permit)));
        for lease in join_all(leases).await {
            lease?.release().await;
        }
        Ok(())
    }

    /// Stops every lane that is not leased.
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
        let sound = OptionFuture::from(idle.map(keep_if_sound)).await.flatten();
        match sound {
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

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Vec<Arc<Stack>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stack that a check left other than it found it is thrown away: a new one is cheap.
async fn keep_if_sound(stack: Arc<Stack>) -> Option<Arc<Stack>> {
    if stack.is_healthy().await {
        return Some(stack);
    }
    remove(&stack).await;
    None
}

async fn remove(stack: &Stack) {
    if let Err(error) = stack.stop().await {
        tracing::warn!(%error, "a lane was not removed completely; `cutover sweep` will");
    }
}

/// A lane that its holder has alone.
#[derive(Debug)]
#[must_use = "give the lane back with release(), or its stack is thrown away"]
pub struct StackLease {
    stack: Arc<Stack>,
    pool: Arc<Pool>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl StackLease {
    /// The stack, for those who keep it longer than a borrow; it is others' once the lane is given back.
    pub fn stack(&self) -> Arc<Stack> {
        Arc::clone(&self.stack)
    }

    /// Gives the lane back, with as many workers as it had, for the next who asks.
    pub async fn release(self) {
        let workers = self.stack.spec().workers;
        if let Err(error) = self.stack.scale_workers(workers).await {
            tracing::debug!(%error, "the lane is not as it was and will be thrown away");
        }
        if let Some(stack) = keep_if_sound(Arc::clone(&self.stack)).await {
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
