//! Scripted proxies on loopback. They connect to one address for every requested name, and record the names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// How a proxy answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// SOCKS 5 (RFC 1928).
    Socks5,
    /// SOCKS 5, and the server cannot be reached from it.
    Socks5Unreachable,
    /// HTTP `CONNECT`.
    Http,
    /// HTTP, with a status instead of a connection.
    HttpStatus(u16),
}

/// A proxy. It ends with the runtime of the test.
pub struct ScriptedProxy {
    /// `127.0.0.1:PORT`.
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ScriptedProxy {
    pub async fn start(manner: Manner, behind: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::default());
        let (record, behind) = (Arc::clone(&asked), behind.trim_start_matches("http://").to_owned());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (record, behind) = (Arc::clone(&record), behind.clone());
                // The client may disconnect.
                tokio::spawn(async move { drop(serve(manner, socket, &record, &behind).await) });
            }
        });
        Self { address, asked }
    }

    /// The requested targets, `host:port`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(manner: Manner, mut client: TcpStream, asked: &Mutex<Vec<String>>, behind: &str) -> io::Result<()> {
    match manner {
        Manner::Socks5 | Manner::Socks5Unreachable => {
            let [_version, methods] = client.read_u16().await?.to_be_bytes();
            client.read_exact(&mut vec![0; methods.into()]).await?;
            client.write_all(&[5, 0]).await?;
            let mut head = [0; 4];
            client.read_exact(&mut head).await?;
            let host = if head[3] == 3 {
                let mut name = vec![0; client.read_u8().await?.into()];
                client.read_exact(&mut name).await?;
                String::from_utf8(name).unwrap()
            } else {
                let mut address = [0; 4];
                client.read_exact(&mut address).await?;
                std::net::Ipv4Addr::from(address).to_string()
            };
            let port = client.read_u16().await?;
            asked.lock().unwrap().push(format!("{host}:{port}"));
            let code = if manner == Manner::Socks5 { 0 } else { 4 };
            client.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
        }
        Manner::Http | Manner::HttpStatus(_) => {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await?);
            }
            let head = String::from_utf8(head).unwrap();
            asked.lock().unwrap().push(head.split(' ').nth(1).unwrap().to_owned());
            let status = if let Manner::HttpStatus(status) = manner { status } else { 200 };
            client.write_all(format!("HTTP/1.1 {status} Scripted\r\n\r\n").as_bytes()).await?;
        }
    }
    if matches!(manner, Manner::Socks5 | Manner::Http) {
        let mut server = TcpStream::connect(behind).await?;
        copy_bidirectional(&mut client, &mut server).await?;
    }
    Ok(())
}
