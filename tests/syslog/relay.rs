//! Senders that write what Docker's own driver writes; a fake dockerd that knows two containers.

use super::dockerd::{Dockerd, Reply};
use super::servers::{Input, Kind, PATIENCE, Server, free_port, unpacked};
use super::{outbox, sending, until};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use unsinkable::docker::Client;
use unsinkable::syslog::Speaker;
use unsinkable::syslog::run::{relay::Relay, send::Outbox};

/// Running when the relay starts.
const LISTED: &str = r#"[{"Id":"3f2a9c1b7d4e8f60718293a4b5c6d7e8f9012a3b4c5d6e7f8091a2b3c4d5e6f7",
    "Names":["/shop_web.2.k5yrm8w1l2q0v9x3c7n4b6z8a"],"Image":"nginx:1.27","Labels":{
    "com.docker.swarm.service.name":"shop_web","com.docker.swarm.task.id":"k5yrm8w1l2q0v9x3c7n4b6z8a",
    "com.docker.swarm.task.name":"shop_web.2.k5yrm8w1l2q0v9x3c7n4b6z8a"}}]"#;
/// Made later.
const INSPECTED: &str = r#"{"Id":"0123456789abaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "Name":"/heimdall","Config":{"Image":"heimdall:2","Labels":null}}"#;

fn dockerd(name: &str) -> Dockerd {
    Dockerd::start(name, |asked| {
        if asked.line.contains("/containers/json") {
            Reply::json(200, LISTED)
        } else if asked.line.contains("/containers/0123456789ab/json") {
            // Slow enough for lines to wait.
            Reply::json(200, INSPECTED).paced(50, Duration::from_millis(50))
        } else {
            Reply::json(404, r#"{"message":"No such container"}"#)
        }
    })
}

/// A receiver that reads all that comes.
fn receiver() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (port, receive(listener))
}

fn receive(listener: TcpListener) -> Receiver<String> {
    let (tell, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            for line in BufReader::new(stream.expect("a connection")).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        }
    });
    told
}

/// Runs `work` on a thread of its own while the relay relays.
fn relaying<T: Send>(outbox: &Outbox, dockerd: &Dockerd, work: impl FnOnce(SocketAddr) -> T + Send) -> T {
    let (_tell, told) = channel();
    relaying_and_told(outbox, dockerd, &told, work)
}

/// The same, and Docker's events tell of containers.
fn relaying_and_told<T: Send>(
    outbox: &Outbox,
    dockerd: &Dockerd,
    told: &Receiver<(String, Speaker)>,
    work: impl FnOnce(SocketAddr) -> T + Send,
) -> T {
    let listen = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let client = Client::new(dockerd.path());
    thread::scope(|scope| {
        let working = scope.spawn(move || {
            super::servers::until("the relay listens", || TcpStream::connect(listen).is_ok());
            work(listen)
        });
        let relay = Relay::new(outbox, "pi-1");
        let relaying = async {
            relay.run(listen, &client).await;
            unreachable!("it relays until dropped")
        };
        let over = || {
            for (id, speaker) in told.try_iter() {
                relay.learn(&id, &speaker);
            }
            working.is_finished()
        };
        sending(outbox, smol::future::or(until("the test is over", over), relaying));
        working.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn next(lines: &Receiver<String>) -> String {
    lines.recv_timeout(PATIENCE).expect("a line")
}

fn connect(listen: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(listen).expect("a connection");
    stream.set_write_timeout(Some(PATIENCE)).expect("set");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream
}

/// From what number on a message is the same each time.
fn without_number(line: &str) -> String {
    let Some((head, rest)) = line.split_once("[meta sequenceId=\"") else { return line.to_owned() };
    let rest = rest.split_once("\"]").map_or("", |(_, rest)| rest);
    format!("{head}{rest}")
}

const DATA: &str = "[docker@32473 service=\"shop_web\" task=\"k5yrm8w1l2q0v9x3c7n4b6z8a\" \
    container_name=\"shop_web.2.k5yrm8w1l2q0v9x3c7n4b6z8a\" container_id=\"3f2a9c1b7d4e\" image=\"nginx:1.27\"]";

#[test]
fn all_that_docker_sends_goes_on_in_the_name_of_the_service() {
    let (port, lines) = receiver();
    let (outbox, dockerd) = (outbox(&format!("tcp://127.0.0.1:{port}")), dockerd("relay-names"));
    relaying(&outbox, &dockerd, move |listen| {
        let mut tcp = connect(listen);
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        // rfc5424micro, with a line feed and with a length; and rfc5424, whose time has a zone.
        let micro = "<30>1 2025-11-23T00:39:08.123456Z pi-1 3f2a9c1b7d4e 812 3f2a9c1b7d4e - GET / 200\n";
        let sent_on = format!("<30>1 2025-11-23T00:39:08.123456Z pi-1 shop_web 2 stdout {DATA} GET / 200");
        tcp.write_all(micro.as_bytes()).expect("taken");
        assert_eq!(without_number(&next(&lines)), sent_on);
        tcp.write_all(format!("{} {micro}", micro.len()).as_bytes()).expect("taken");
        assert_eq!(without_number(&next(&lines)), sent_on);
        udp.send_to(micro.as_bytes(), listen).expect("sent");
        assert_eq!(without_number(&next(&lines)), sent_on);
        tcp.write_all(b"<27>1 2025-11-23T01:39:08+01:00 pi-1 3f2a9c1b7d4e 812 3f2a9c1b7d4e - failed\n")
            .expect("taken");
        let sent_on = format!("<27>1 2025-11-23T00:39:08.000000Z pi-1 shop_web 2 stderr {DATA} failed");
        assert_eq!(without_number(&next(&lines)), sent_on);
        // The default and rfc3164: without a year, so that only the minute is sure.
        for line in
            ["<30>Nov 23 00:39:08 3f2a9c1b7d4e[812]: x\n", "<30>Nov 23 00:39:08 pi-1 3f2a9c1b7d4e[812]: x\n"]
        {
            tcp.write_all(line.as_bytes()).expect("taken");
            let line = without_number(&next(&lines));
            assert!(line.starts_with("<30>1 20"), "{line}");
            assert!(
                line.ends_with(&format!(":08.000000Z pi-1 shop_web 2 stdout {DATA} x"))
                    || line.contains(":08."),
                "{line}"
            );
        }
        // Nobody's: as it is.
        tcp.write_all(b"<86>1 2025-11-23T00:39:08.5Z pi-2 sshd 4711 - - accepted\nhello\n").expect("taken");
        assert_eq!(
            without_number(&next(&lines)),
            "<86>1 2025-11-23T00:39:08.500000Z pi-2 sshd 4711 -  accepted"
        );
        let hello = without_number(&next(&lines));
        assert!(hello.starts_with("<13>1 20") && hello.ends_with("Z pi-1 - - -  hello"), "{hello}");
    });
    assert_eq!(dockerd.asked(), ["GET /v1.41/containers/json?all=1"]);
}

#[test]
fn docker_is_asked_once_for_an_id_and_no_line_is_out_of_order() {
    let (port, lines) = receiver();
    let (outbox, dockerd) = (outbox(&format!("tcp://127.0.0.1:{port}?format=rfc3164")), dockerd("relay-ask"));
    relaying(&outbox, &dockerd, move |listen| {
        let mut tcp = connect(listen);
        for number in 0..20 {
            writeln!(tcp, "<30>1 2025-11-23T00:39:08Z pi-1 0123456789ab 812 0123456789ab - line {number}")
                .expect("taken");
        }
        for number in 0..20 {
            let line = next(&lines);
            assert!(line.ends_with(&format!(" pi-1 heimdall[0123456789ab]: line {number}")), "{line}");
        }
        for number in 0..3 {
            writeln!(tcp, "<30>1 2025-11-23T00:39:08Z pi-1 ffffffffffff 812 ffffffffffff - line {number}")
                .expect("taken");
            let line = next(&lines);
            assert!(line.ends_with(&format!(" pi-1 ffffffffffff[812]: line {number}")), "{line}");
        }
    });
    let asked = dockerd.asked();
    let asked_for = |id: &str| asked.iter().filter(|line| line.contains(id)).count();
    assert_eq!((asked_for("0123456789ab"), asked_for("ffffffffffff")), (1, 1), "{asked:#?}");
}

#[test]
fn a_container_that_is_gone_has_the_name_that_its_events_told() {
    const GONE: &str = "aaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    let (port, lines) = receiver();
    let (outbox, dockerd) =
        (outbox(&format!("tcp://127.0.0.1:{port}?format=rfc3164")), dockerd("relay-gone"));
    let (tell, told) = channel();
    relaying_and_told(&outbox, &dockerd, &told, move |listen| {
        let mut tcp = connect(listen);
        tell.send((GONE.to_owned(), Speaker::of_part("brief"))).expect("taken");
        writeln!(tcp, "<30>1 2025-11-23T00:39:08Z pi-1 aaaaaaaaaaaa 812 - - last words").expect("taken");
        let line = next(&lines);
        assert!(line.ends_with(" pi-1 brief: last words"), "{line}");
        // The event comes behind the line, and behind Docker's word that there is no such container.
        writeln!(tcp, "<30>1 2025-11-23T00:39:08Z pi-1 dddddddddddd 812 - - late").expect("taken");
        thread::sleep(Duration::from_millis(50));
        let late = format!("dddddddddddd{}", &GONE[12..]);
        tell.send((late, Speaker::of_part("later"))).expect("taken");
        let line = next(&lines);
        assert!(line.ends_with(" pi-1 later: late"), "{line}");
    });
}

#[test]
fn no_container_waits_while_the_server_is_away() {
    let port = free_port();
    let (outbox, dockerd) =
        (outbox(&format!("tcp://127.0.0.1:{port}?format=rfc3164")), dockerd("relay-away"));
    let told: Vec<String> = relaying(&outbox, &dockerd, move |listen| {
        let mut tcp = connect(listen);
        let line =
            "<30>1 2025-11-23T00:39:08Z pi-1 3f2a9c1b7d4e 812 3f2a9c1b7d4e - all is well\n".repeat(100);
        let begun = Instant::now();
        for _ in 0..2_000 {
            tcp.write_all(line.as_bytes()).expect("nobody waits");
        }
        println!("200,000 lines into the void: {:?}", begun.elapsed());
        tcp.write_all(b"<30>1 2025-11-23T00:39:08Z pi-1 3f2a9c1b7d4e 812 3f2a9c1b7d4e - last\n")
            .expect("taken");
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port");
        let received = receive(listener);
        let mut told = Vec::new();
        loop {
            let line = next(&received);
            told.push(line);
            if told.last().is_some_and(|line| line.ends_with(": last")) {
                break;
            }
        }
        told
    });
    let lost: u64 = told
        .iter()
        .filter_map(|line| line.split_once(" unsinkable: ")?.1.split(' ').next()?.parse::<u64>().ok())
        .sum();
    let arrived = told.iter().filter(|line| !line.contains(" unsinkable: ")).count();
    assert_eq!(
        (lost, lost + arrived as u64),
        (outbox.stats().dropped, 200_001),
        "each line is here or counted"
    );
    assert!(lost > 0 && arrived > 10_000, "{lost} lost, {arrived} arrived");
}

#[test]
fn hostile_senders_hurt_nobody() {
    let (port, lines) = receiver();
    let (outbox, dockerd) =
        (outbox(&format!("tcp://127.0.0.1:{port}?format=rfc3164")), dockerd("relay-hostile"));
    relaying(&outbox, &dockerd, move |listen| {
        let mut length = connect(listen);
        length.write_all(b"999999999 <30>x").expect("taken");
        let end = length.read(&mut [0; 9]);
        assert!(matches!(&end, Ok(0)) || end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
        let mut endless = connect(listen);
        for _ in 0..64 {
            endless.write_all(&vec![b'x'; 65_536]).expect("taken");
        }
        endless.write_all(b"\n<30>after\n").expect("taken");
        let mut line = next(&lines);
        while line.ends_with("xx") {
            line = next(&lines);
        }
        assert!(line.ends_with(" pi-1 -: after"), "{line}");
        // More connections than there are places: who is there already goes on.
        let _crowd: Vec<_> = (0..600).map(|_| connect(listen)).collect();
        endless.write_all(b"<30>still here\n").expect("taken");
        assert!(next(&lines).ends_with(": still here"));
    });
}

#[test]
fn rsyslog_gets_names_from_dockers_own_lines() {
    if !unpacked() {
        return;
    }
    let server = Server::started(Kind::Rsyslog, Input { udp: false, rfc5424: true, octet: true }, "relay");
    let target = format!("tcp://127.0.0.1:{}?framing=octet", server.port);
    let (outbox, dockerd) = (outbox(&target), dockerd("relay-rsyslog"));
    relaying(&outbox, &dockerd, |listen| {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let line = b"<30>1 2025-11-23T00:39:08.123456Z pi-1 3f2a9c1b7d4e 812 3f2a9c1b7d4e - GET / 200\n";
        udp.send_to(line, listen).expect("sent");
        super::servers::until("it is written", || !server.lines().is_empty());
        let expected = format!(
            "30 2025-11-23T00:39:08.123456Z pi-1 shop_web 2 stdout [meta sequenceId=\"1\"]{DATA}|GET / 200"
        );
        assert_eq!(server.lines(), [expected]);
    });
}
