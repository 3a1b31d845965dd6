//! Waiting for a future.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread.
///
/// Images are answered from the lock file, so the only future is ready when it is first polled:
/// these lines of the standard library cost no start-up time and no crate. A registry client
/// brings a runtime of its own, and takes this place.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future;
    use std::task::Poll;

    use super::block_on;

    #[test]
    fn waits_until_the_future_is_ready() {
        let mut polls = 0;
        let value = block_on(future::poll_fn(|context| {
            polls += 1;
            context.waker().wake_by_ref();
            if polls < 3 {
                Poll::Pending
            } else {
                Poll::Ready(7)
            }
        }));
        assert_eq!((value, polls), (7, 3));
    }
}
