//! Work that is done at once, up to a limit.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Does the work for every item, for so many at once at most, and gives the results in order.
pub(crate) async fn each<I, T, F>(
    most: usize,
    items: impl IntoIterator<Item = I>,
    work: impl Fn(I) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(Semaphore::new(most.max(1)));
    let mut working = JoinSet::new();
    for (place, item) in items.into_iter().enumerate() {
        let (gate, item) = (Arc::clone(&gate), work(item));
        working.spawn(async move {
            // It is never closed.
            let _turn = gate.acquire_owned().await;
            (place, item.await)
        });
    }
    let mut done = Vec::new();
    while let Some(joined) = working.join_next().await {
        match joined {
            Ok(result) => done.push(result),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
    }
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn in_order_and_not_too_many_at_once() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(three_at_once());
    }

    async fn three_at_once() {
        let now = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let results = each(3, 0..20_usize, |item| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..(20 - item) {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                item
            }
        })
        .await;
        assert_eq!(results, (0..20).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }
}
