//! Receivers that close, reset, hang, are away.

use super::servers::{PATIENCE, free_port};
use super::{outbox, push, sending, until};
use smol::Timer;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;
use unsinkable::syslog::queue::AFTER_CLOSE;
use unsinkable::syslog::run::send::Outbox;
use unsinkable::syslog::{Keep, Speaker};

const BSD: &str = "?format=rfc3164";

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// Accepts off this thread.
async fn accept(listener: &TcpListener) -> BufReader<TcpStream> {
    let listener = listener.try_clone().expect("a copy");
    let stream = smol::unblock(move || listener.accept().expect("a connection").0).await;
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    BufReader::new(stream)
}

/// The texts of the next `count` lines.
async fn texts(mut reader: BufReader<TcpStream>, count: usize) -> (BufReader<TcpStream>, Vec<String>) {
    smol::unblock(move || {
        let texts = (0..count).map(|_| {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            line.trim_end().split_once(": ").map_or(line.clone(), |(_, text)| text.to_owned())
        });
        let texts = texts.collect();
        (reader, texts)
    })
    .await
}

fn say(outbox: &Outbox, text: &str) -> u64 {
    push(outbox, &Speaker::of_part("a"), Keep::Held, text.as_bytes())
}

#[test]
fn an_idle_connection_that_is_closed_loses_and_doubles_nothing() {
    let (listener, port) = listener();
    let outbox = outbox(&format!("tcp://127.0.0.1:{port}{BSD}"));
    sending(&outbox, async {
        say(&outbox, "one");
        let (reader, read) = texts(accept(&listener).await, 1).await;
        assert_eq!(read, ["one"]);
        until("it is acknowledged", || outbox.delivered() == 1).await;
        Timer::after(AFTER_CLOSE + Duration::from_millis(200)).await;
        drop(reader);
        until("the end is noticed while nothing is sent", || !outbox.stats().connected).await;
        say(&outbox, "two");
        let (_reader, read) = texts(accept(&listener).await, 1).await;
        assert_eq!(read, ["two"]);
        until("it is acknowledged", || outbox.delivered() == 2).await;
        assert_eq!(outbox.stats().sent, 2);
    });
}

#[test]
fn what_was_acknowledged_but_not_read_comes_again() {
    let (listener, port) = listener();
    let outbox = outbox(&format!("tcp://127.0.0.1:{port}{BSD}"));
    sending(&outbox, async {
        let unread = accept(&listener).await;
        let last = ["one", "two", "three"].map(|text| say(&outbox, text))[2];
        until("its kernel has them", || outbox.delivered() == last).await;
        Timer::after(AFTER_CLOSE).await;
        drop(unread);
        let (_reader, read) = texts(accept(&listener).await, 3).await;
        assert_eq!(read, ["one", "two", "three"]);
        until("they count once", || outbox.stats().queued == 0).await;
        assert_eq!(outbox.stats().sent, 3);
    });
}

#[test]
fn a_server_that_is_away_is_waited_for() {
    let port = free_port();
    let outbox = outbox(&format!("tcp://127.0.0.1:{port}{BSD}"));
    sending(&outbox, async {
        say(&outbox, "one");
        until("the trouble is told", || outbox.stats().error.is_some()).await;
        let stats = outbox.stats();
        assert_eq!((stats.connected, stats.queued, stats.sent), (false, 1, 0));
        assert_eq!(stats.target, format!("tcp://127.0.0.1:{port}"));
        assert!(stats.error.as_ref().is_some_and(|why| why.contains("refused")), "{stats:?}");
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port");
        let (_reader, read) = texts(accept(&listener).await, 1).await;
        assert_eq!(read, ["one"]);
        until("all is well", || outbox.stats().queued == 0).await;
        assert_eq!((outbox.stats().connected, outbox.stats().error), (true, None));
    });
}

#[test]
fn a_receiver_that_hangs_is_waited_for_and_gets_all_in_order() {
    let (listener, port) = listener();
    let outbox = outbox(&format!("tcp://127.0.0.1:{port}{BSD}"));
    sending(&outbox, async {
        let reader = accept(&listener).await;
        let mut pushed = 0;
        loop {
            let late = async {
                Timer::after(Duration::from_millis(500)).await;
                false
            };
            let room = async {
                outbox.room().await;
                true
            };
            if !smol::future::or(room, late).await {
                break;
            }
            for _ in 0..100 {
                say(&outbox, &format!("{pushed} {}", "x".repeat(200)));
                pushed += 1;
            }
            assert!(pushed < 200_000, "it never waits");
        }
        assert_eq!(outbox.stats().dropped, 0);
        let (_reader, read) = texts(reader, pushed).await;
        let numbers = read.iter().map(|text| text.split(' ').next().unwrap_or_default());
        assert!(numbers.eq((0..pushed).map(|number| number.to_string())), "in order");
        outbox.room().await;
    });
}

/// Reads as `paces` say (bytes a read, so many reads, the pause after each), then dies, with what it has not read.
fn read_and_die(stream: &mut TcpStream, paces: &[(usize, usize, u64)]) -> Vec<u8> {
    let mut read = Vec::new();
    for (bytes, times, pause) in paces {
        for _ in 0..*times {
            let begun = read.len();
            read.resize(begun + bytes, 0);
            let len = stream.read(&mut read[begun..]).expect("bytes");
            read.truncate(begun + len);
            thread::sleep(Duration::from_millis(*pause));
        }
    }
    read
}

#[test]
fn whatever_a_receiver_left_unread_its_successor_gets() {
    // Too slow for what comes; in bursts, for which Linux makes its buffer large; not at all.
    let lives: [&[(usize, usize, u64)]; 3] =
        [&[(4_096, 60, 5)], &[(65_536, 5, 1), (1, 1, 150), (1 << 20, 20, 1), (1, 2, 300)], &[(1, 1, 500)]];
    let (listener, port) = listener();
    let outbox = outbox(&format!("tcp://127.0.0.1:{port}{BSD}"));
    let (tell, told) = smol::channel::bounded(1);
    let reading = thread::spawn(move || {
        let mut lines = Vec::new();
        let mut take = |read: &[u8]| {
            // The last has no end: it was not read whole.
            let whole = read.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            lines.extend(
                read[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(number),
            );
        };
        for paces in lives {
            take(&read_and_die(&mut listener.accept().expect("a connection").0, paces));
        }
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        tell.send_blocking(()).expect("it waits");
        let mut read = Vec::new();
        while !read.ends_with(b"end\n") {
            let begun = read.len();
            read.resize(begun + 65_536, 0);
            let len = stream.read(&mut read[begun..]).expect("bytes");
            read.truncate(begun + len);
        }
        take(&read);
        lines
    });
    let pushed = sending(&outbox, async {
        let mut pushed = 0;
        while told.try_recv().is_err() {
            let late = async { Timer::after(Duration::from_millis(10)).await.elapsed().as_nanos() == 0 };
            let room = async {
                outbox.room().await;
                true
            };
            if smol::future::or(room, late).await {
                for _ in 0..100 {
                    say(&outbox, &format!("{pushed} {}", "x".repeat(200)));
                    pushed += 1;
                }
                Timer::after(Duration::from_millis(10)).await;
            }
        }
        say(&outbox, &format!("{pushed} end"));
        until("the last one has read all", || reading.is_finished()).await;
        pushed + 1
    });
    let lines = reading.join().expect("it reads");
    let read: BTreeSet<u32> = lines.iter().copied().collect();
    println!("{pushed} lines, {} of them again", lines.len() - read.len());
    assert!(pushed > 3_000, "{pushed}");
    assert!(read.iter().copied().eq(0..pushed), "{} of {pushed}", read.len());
}

/// Of a line.
fn number(line: &[u8]) -> u32 {
    let text = String::from_utf8_lossy(line);
    text.split(' ').rev().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_datagram_that_is_refused_is_sent_again() {
    let port = free_port();
    let outbox = outbox(&format!("udp://127.0.0.1:{port}{BSD}"));
    sending(&outbox, async {
        for number in 0..50 {
            say(&outbox, &number.to_string());
        }
        until("the trouble is told", || outbox.stats().error.is_some()).await;
        let socket = UdpSocket::bind(("127.0.0.1", port)).expect("the port");
        socket.set_read_timeout(Some(PATIENCE)).expect("set");
        until("all is sent", || outbox.delivered() == 50).await;
        let mut datagram = [0; 2048];
        let mut read: Vec<u32> = Vec::new();
        while read.last().is_none_or(|last| *last != 49) {
            let len = socket.recv(&mut datagram).expect("a datagram");
            let text = String::from_utf8_lossy(&datagram[..len]).into_owned();
            read.push(text.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number"));
        }
        // Each try cost the one that brought the news.
        assert!(read.len() >= 40 && read.is_sorted(), "{read:?}");
        assert!(outbox.stats().connected);
    });
}
