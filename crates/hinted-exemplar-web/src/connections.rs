//! Connections of browsers: how many there may be, and how long one that says nothing is waited for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Sleep, sleep, timeout};

/// How long a connection may take for a request's head, or be idle between two.
pub const HEAD: Duration = Duration::from_secs(10);
/// How long a form may take to arrive.
pub const BODY: Duration = Duration::from_secs(10);
/// How long an answer waits for a reader that takes nothing of it.
const UNREAD: Duration = Duration::from_secs(30);
/// How long answers under way are waited for at the end.
const END: Duration = Duration::from_secs(10);
/// Below what a process may usually have open; each page takes a browser six.
const MOST: usize = 512;
/// Room for the longest address and a browser's headers.
const MOST_HEAD: usize = 160 << 10;

/// Serves until `ended`, then ends the answers under way.
pub async fn serve(listener: TcpListener, router: Router, ended: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(MOST));
    let graceful = GracefulShutdown::new();
    let service = TowerToHyperService::new(router);
    let mut ended = std::pin::pin!(ended);
    loop {
        let place = places.clone().acquire_owned();
        let (place, stream) = tokio::select! {
            (place, accepted) = async { (place.await, listener.accept().await) } => match accepted {
                Ok((stream, _)) => (place, stream),
                Err(_) => {
                    // As where too many files are open: others may close some.
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut ended => break,
        };
        // An answer's last part is not to wait for the one before.
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(MOST_HEAD)
            .serve_connection(TokioIo::new(Patient { stream, gives_up: None }), service.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = timeout(END, graceful.shutdown()).await;
}

/// A stream whose writes fail once nothing was taken for [`UNREAD`].
struct Patient {
    stream: TcpStream,
    gives_up: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn written<T>(&mut self, context: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.gives_up = None;
            return poll;
        }
        let gives_up = self.gives_up.get_or_insert_with(|| Box::pin(sleep(UNREAD)));
        gives_up.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.written(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(context);
        self.written(context, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_nothing_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut patient = Patient { stream, gives_up: None };
        let error = patient.write_all(&vec![0; 64 << 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(silent);
    }

    #[tokio::test]
    async fn a_reader_who_takes_it_slowly_gets_it_all() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut reader = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut patient = Patient { stream, gives_up: None };
        let writing = tokio::spawn(async move { patient.write_all(&vec![7; 16 << 20]).await });
        sleep(Duration::from_millis(50)).await;
        let mut taken = vec![0; 16 << 20];
        reader.read_exact(&mut taken).await.unwrap();
        assert!(taken.iter().all(|byte| *byte == 7));
        writing.await.unwrap().unwrap();
    }
}
