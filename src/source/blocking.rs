//! Work that blocks its thread, kept off the threads of the runtime.

/// Runs `work` on the runtime's pool of threads for blocking work: reading files, starting programs, long computations.
/// A panic of the work is a panic of the caller.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(output) => output,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime shuts down, and this task with it.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

#[cfg(all(test, unix))]
pub(super) mod testing {
    //! A file that cannot be read yet, for tests of what a slow file system delays.

    #![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::path::Path;
    use std::time::Duration;

    /// Makes a named pipe: whoever opens it to read waits for a writer.
    pub(in crate::source) fn named_pipe(path: &Path) {
        let status = std::process::Command::new("mkfifo").arg(path).status().unwrap();
        assert!(status.success());
    }

    /// Awaits `read`, which reads the named pipe at `path`, and checks that other tasks run in the meantime. Then writes
    /// `content` into the pipe and returns the output.
    pub(in crate::source) async fn read_from_pipe<T>(path: &Path, content: &str, read: impl Future<Output = T>) -> T {
        tokio::pin!(read);
        tokio::select! {
            biased;
            _ = &mut read => panic!("nothing was written to the pipe yet"),
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
        let (path, content) = (path.to_owned(), content.to_owned());
        let writer = std::thread::spawn(move || std::fs::write(path, content).unwrap());
        let output = read.await;
        writer.join().unwrap();
        output
    }
}
