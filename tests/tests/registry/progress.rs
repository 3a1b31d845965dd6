//! The line that somebody sees who has to wait, on a terminal and nowhere else.
//!
//! `script` is that of util-linux; others have other options.

#![cfg(target_os = "linux")]

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Stdio};

use outrigger_tests::servers;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::images::usual;
use crate::process::{PROGRAM, command, folder, on, program};
use crate::run;
use crate::server::{Seen, Server};

/// A registry that keeps back the config of the image `slow`, and tells each time.
async fn slow() -> (Server, UnboundedReceiver<oneshot::Sender<()>>) {
    let images = usual();
    let (tell, told) = unbounded_channel();
    let server = Server::plain(move |seen: &Seen| {
        let reply = images.reply(seen);
        if !seen.path.starts_with("/v2/slow/blobs/") {
            return reply;
        }
        let (reply, hold) = reply.held();
        tell.send(hold).unwrap();
        reply
    });
    (server.await, told)
}

/// The program at a terminal of its own, which `script` opens for it.
struct Terminal {
    script: Child,
    written: Vec<u8>,
}

impl Terminal {
    fn start(script: &Path, folder: &Path, args: &str) -> Self {
        let script = command(script, folder)
            .args(["--quiet", "--return", "--command"])
            .args([&format!("exec {PROGRAM} {args} >out.json"), "/dev/null"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let written = Vec::new();
        Self { script, written }
    }

    /// Reads until the last that was written is this.
    async fn until(mut self, text: &'static str) -> Self {
        let read = move || {
            let output = self.script.stdout.as_mut().unwrap();
            while !self.written.ends_with(text.as_bytes()) {
                let mut byte = [0];
                output.read_exact(&mut byte).unwrap();
                self.written.extend(byte);
            }
            self
        };
        spawn_blocking(read).await.unwrap()
    }

    /// All that was written, when the program has done its work.
    async fn end(mut self) -> String {
        let read = move || {
            let output = self.script.stdout.as_mut().unwrap();
            output.read_to_end(&mut self.written).unwrap();
            let written = String::from_utf8(self.written).unwrap();
            assert!(self.script.wait().unwrap().success(), "{written}");
            written
        };
        spawn_blocking(read).await.unwrap()
    }
}

/// What is to be seen in the end of what was written to a terminal.
fn screen(written: &str) -> String {
    const ERASE: char = '\u{7f}';
    let (mut lines, mut at) = (vec![Vec::new()], 0);
    for character in written.replace("\u{1b}[2K", &ERASE.to_string()).chars() {
        let line = lines.last_mut().unwrap();
        match character {
            '\r' => at = 0,
            '\n' => {
                lines.push(Vec::new());
                at = 0;
            }
            ERASE => line.clear(),
            character => {
                line.resize(line.len().max(at + 1), ' ');
                line[at] = character;
                at += 1;
            }
        }
    }
    let lines = lines.into_iter().map(String::from_iter);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_screen_shows_what_is_left() {
    assert_eq!(screen("one\r\ntwo\rT"), "one\nTwo");
    assert_eq!(screen("9 of 20\r10 of 20\r\u{1b}[2Kdone\r\n"), "done\n");
}

#[test]
fn who_waits_at_a_terminal_sees_how_many_images_are_read() {
    let Some(script) = servers::program("SCRIPT", "script").unwrap() else {
        return;
    };
    run(async {
        let (server, mut held) = slow().await;
        let container =
            |name: &str| json!({"Name": name, "Image": format!("{}/{name}:1", server.host())});
        let folder = folder(&json!(["one", "slow", "two"].map(container)));
        let args = on(&[&server], "--color never");
        let (path, piped) = (folder.path().to_owned(), args.clone());
        let piped = tokio::spawn(async move { program(&path, &piped, &[]).await });
        let mut holds = vec![held.recv().await.unwrap()];
        let quiet = Terminal::start(&script, folder.path(), &format!("{args} --quiet"));
        holds.push(held.recv().await.unwrap());
        // These two are kept waiting for longer than this one, which shows the line.
        let shows = Terminal::start(&script, folder.path(), &args);
        let shows = shows.until("\rreading image configs: 2 of 3").await;
        drop((holds, held));
        let (piped, quiet, written) = (piped.await.unwrap(), quiet.end().await, shows.end().await);
        assert_eq!(piped.code, Some(0), "{}", piped.stderr);
        assert!(!piped.stderr.contains("reading") && !piped.stderr.contains('\r'));
        assert_eq!(quiet, "");
        assert!(
            piped.stderr.contains("1 task definition rewritten"),
            "{}",
            piped.stderr
        );
        assert_eq!(screen(&written), piped.stderr);
    });
}
