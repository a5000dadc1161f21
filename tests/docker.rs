//! The Docker client against a dockerd that breaks off, dawdles, babbles, restarts and changes its version; and
//! recorded answers of a real one.

mod dockerd;

use dockerd::{Asked, Dockerd, Reply};
use serde_json::Value;
use smol::future::{block_on, or, zip};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use unsinkable::docker::client::Limits;
use unsinkable::docker::error::Cause;
use unsinkable::docker::{Client, Error, Reference};

const VOLUMES: &str =
    r#"{"Volumes":[{"Name":"a","Driver":"local"},{"Name":"b","Driver":"local"}],"Warnings":null}"#;

/// A dockerd that is gone is not waited for.
const IMPATIENT: Limits = Limits { restart: Duration::ZERO, ..Limits::DEFAULT };

fn always(reply: Reply) -> impl FnMut(&Asked) -> Reply + Send + 'static {
    move |_| reply.clone()
}

fn client(dockerd: &Dockerd, limits: Limits) -> Client {
    Client::with_limits(dockerd.path(), limits)
}

/// One call, and the names in its answer.
fn volumes(client: &Client) -> Result<String, Error> {
    let volumes = block_on(client.dangling_volumes())?;
    Ok(volumes.into_iter().map(|volume| volume.name).collect::<Vec<_>>().join(" "))
}

fn io_kind(error: &Error) -> Option<ErrorKind> {
    match &error.cause {
        Cause::Io(error) => Some(error.kind()),
        Cause::Status { .. }
        | Cause::Deadline(_)
        | Cause::Malformed(_)
        | Cause::Failed(_)
        | Cause::Version(_) => None,
    }
}

/// An answer whose end is the connection's.
fn until_close(body: &str) -> Reply {
    Reply::bytes(format!("HTTP/1.1 200 OK\r\n\r\n{body}")).close()
}

#[test]
fn an_answer_cut_anywhere_is_an_error() {
    let dockerd = Dockerd::start("cut", always(Reply::json(200, VOLUMES)));
    let client = client(&dockerd, IMPATIENT);
    for whole in [Reply::json(200, VOLUMES), Reply::chunks(VOLUMES.as_bytes(), 16)] {
        for len in 0..whole.bytes.len() {
            dockerd.script(always(whole.clone().cut(len)));
            let error = volumes(&client).expect_err("an answer that is not whole");
            assert_eq!(io_kind(&error), Some(ErrorKind::UnexpectedEof), "{len} bytes: {error}");
        }
        dockerd.script(always(whole));
        assert_eq!(volumes(&client).expect("an answer"), "a b");
    }
    let whole = until_close(VOLUMES);
    for len in 0..whole.bytes.len() {
        dockerd.script(always(whole.clone().cut(len)));
        assert!(volumes(&client).is_err(), "{len} bytes");
    }
    dockerd.script(always(whole));
    assert_eq!(volumes(&client).expect("an answer"), "a b");
}

#[test]
fn bytes_may_come_one_by_one_and_in_chunks_of_any_size() {
    let dockerd = Dockerd::start("pieces", always(Reply::json(200, VOLUMES)));
    let client = client(&dockerd, IMPATIENT);
    for reply in [Reply::json(200, VOLUMES), Reply::chunks(VOLUMES.as_bytes(), 7), until_close(VOLUMES)] {
        dockerd.script(always(reply.paced(1, Duration::ZERO)));
        assert_eq!(volumes(&client).expect("an answer"), "a b");
    }
    for size in 1..=VOLUMES.len() {
        dockerd.script(always(Reply::chunks(VOLUMES.as_bytes(), size)));
        assert_eq!(volumes(&client).expect("an answer"), "a b", "chunks of {size}");
    }
}

#[test]
fn a_connection_is_kept_unless_the_server_closes_it() {
    let dockerd = Dockerd::start("kept", always(Reply::json(200, VOLUMES)));
    let client = client(&dockerd, IMPATIENT);
    let connections = || dockerd.connections();
    for status in [200, 200, 404, 500, 200] {
        dockerd.script(always(Reply::json(status, VOLUMES)));
        assert_eq!(volumes(&client).is_ok(), status == 200);
    }
    assert_eq!(connections(), 1);
    dockerd.script(always(Reply::bytes("HTTP/1.1 204 No Content\r\n\r\n")));
    block_on(client.remove_volume("a")).expect("removed");
    assert_eq!(connections(), 1);
    // Bytes that nobody asked for are no answer to the next call.
    dockerd.script(always(Reply::bytes("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")));
    block_on(client.remove_volume("a")).expect("removed");
    dockerd.script(always(Reply::json(200, VOLUMES)));
    assert_eq!(volumes(&client).expect("an answer"), "a b");
    assert_eq!(connections(), 2);
    dockerd.script(|_| {
        thread::sleep(Duration::from_millis(50));
        Reply::json(200, VOLUMES)
    });
    let both = block_on(zip(client.dangling_volumes(), client.dangling_volumes()));
    assert!(both.0.is_ok() && both.1.is_ok());
    assert_eq!(connections(), 3, "side by side");
}

#[test]
fn errors_carry_the_call_the_status_and_dockers_words() {
    let dockerd = Dockerd::start("errors", always(Reply::json(500, r#"{"message":"no\nspace"}"#)));
    let client = client(&dockerd, IMPATIENT);
    assert_eq!(volumes(&client).unwrap_err().to_string(), "GET /volumes: 500 no space");
    dockerd.script(always(Reply::bytes("HTTP/1.1 503 x\r\nContent-Length: 9\r\n\r\nnot ready")));
    assert_eq!(volumes(&client).unwrap_err().to_string(), "GET /volumes: 503 not ready");
    dockerd.script(always(Reply::json(500, &"x".repeat(200_000))));
    assert_eq!(volumes(&client).unwrap_err().status(), Some(500), "however long");
    dockerd.script(always(Reply::json(409, r#"{"message":"in use"}"#)));
    let error = block_on(client.remove_volume("data")).unwrap_err();
    assert_eq!(error.to_string(), "DELETE /volumes/data: 409 in use");
    for odd in ["301 Moved", "302 Found"] {
        dockerd.script(always(Reply::bytes(format!("HTTP/1.1 {odd}\r\nContent-Length: 0\r\n\r\n"))));
        assert!(volumes(&client).is_err(), "{odd}");
    }
}

#[test]
fn what_is_not_the_expected_json_is_an_error() {
    let dockerd = Dockerd::start("json", always(Reply::json(200, "")));
    let client = client(&dockerd, IMPATIENT);
    for body in ["", "OK", "[", r#"{"Volumes":7}"#, r#"{"Volumes":[{"Name":null}]}"#, "{} {}", "\u{0}"] {
        dockerd.script(always(Reply::json(200, body)));
        let error = volumes(&client).expect_err(body);
        assert!(matches!(error.cause, Cause::Malformed(_)), "{body}: {error}");
    }
    dockerd.script(always(Reply::json(200, "null")));
    assert!(block_on(client.containers()).expect("Go's empty list").is_empty());
    let deep = "[".repeat(100_000);
    dockerd.script(always(Reply::json(200, &deep)));
    assert!(volumes(&client).is_err());
}

#[test]
fn a_slow_dockerd_is_not_waited_for_for_ever() {
    let short = Duration::from_millis(200);
    let drip = Duration::from_millis(40);
    let limits = Limits { answer: short, pause: short, body: Duration::from_millis(600), ..IMPATIENT };
    let dockerd = Dockerd::start("slow", always(Reply::json(200, VOLUMES)));
    // Negotiated and connected beforehand: what is measured is this call.
    for (reply, limit) in [
        (Reply::bytes(""), short),
        (Reply::json(200, VOLUMES).paced(1, drip), short),
        (Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), short),
        (Reply::bytes("HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\n{"), short),
        (Reply::bytes("HTTP/1.1 200 OK\r\n\r\n{"), short),
    ] {
        let client = client(&dockerd, limits);
        dockerd.script(always(reply));
        let begun = Instant::now();
        let error = volumes(&client).unwrap_err();
        assert!(matches!(error.cause, Cause::Deadline(waited) if waited == limit), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    // A byte now and then keeps the pause, but not the whole.
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n";
    let client = client(&dockerd, limits);
    dockerd.script(always(
        Reply::bytes(format!("{head}{}", " ".repeat(20 * head.len()))).paced(head.len(), drip),
    ));
    let error = volumes(&client);
    assert!(error.is_err());
    let drops = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}", "1\r\n \r\n".repeat(200));
    dockerd.script(always(Reply::bytes(drops).paced(48, drip)));
    let error = volumes(&client).unwrap_err();
    assert!(matches!(error.cause, Cause::Deadline(waited) if waited == limits.body), "{error}");
}

#[test]
fn an_endless_answer_is_broken_off() {
    let limits = Limits { size: 100_000, ..IMPATIENT };
    let dockerd = Dockerd::start("endless", always(Reply::json(200, VOLUMES)));
    let client = client(&dockerd, limits);
    let long = " ".repeat(200_000);
    let endless_head = format!("HTTP/1.1 200 OK\r\nA: {}", long.replace(' ', "x"));
    for reply in [
        Reply::json(200, &long),
        Reply::chunks(long.as_bytes(), 5_000),
        until_close(&long),
        Reply::bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;".to_owned() + &long),
        Reply::bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ".to_owned() + &long),
        Reply::bytes(endless_head),
        Reply::bytes("HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000)),
    ] {
        dockerd.script(always(reply));
        let error = volumes(&client).unwrap_err();
        assert!(matches!(error.cause, Cause::Malformed(_)), "{error}");
    }
    dockerd.script(always(Reply::json(200, VOLUMES)));
    assert_eq!(volumes(&client).expect("an answer"), "a b", "it goes on");
}

#[test]
fn ten_megabytes_are_read() {
    let one = format!(r#"{{"Name":"v","Labels":{{"x":"{}"}}}},"#, "y".repeat(1_000));
    let count = 10_000_000 / one.len();
    let body = format!(r#"{{"Volumes":[{}]}}"#, one.repeat(count).trim_end_matches(','));
    let dockerd = Dockerd::start("huge", always(Reply::chunks(body.as_bytes(), 32_768)));
    let client = client(&dockerd, Limits::DEFAULT);
    assert_eq!(block_on(client.dangling_volumes()).expect("an answer").len(), count);
}

#[test]
fn no_socket_is_told_at_once_but_a_restart_is_waited_for() {
    let mut dockerd = Dockerd::start("restart", always(Reply::json(200, VOLUMES)));
    let nowhere = Path::new("/nonexistent/docker.sock");
    let begun = Instant::now();
    let error = volumes(&Client::new(nowhere)).unwrap_err();
    let words = "GET /volumes: /nonexistent/docker.sock: No such file or directory (os error 2) (is Docker installed and running?)";
    assert_eq!(error.to_string(), words);
    assert!(begun.elapsed() < Duration::from_secs(2));

    let client = client(&dockerd, Limits::DEFAULT);
    assert_eq!(volumes(&client).expect("an answer"), "a b");
    for remove in [false, true] {
        dockerd.kill();
        if remove {
            fs::remove_file(dockerd.path()).expect("a socket");
        }
        let boot = thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            dockerd.boot();
            dockerd
        });
        assert_eq!(volumes(&client).expect("after the restart"), "a b");
        dockerd = boot.join().expect("booted");
    }
    let client =
        Client::with_limits(dockerd.path(), Limits { restart: Duration::from_millis(500), ..IMPATIENT });
    assert_eq!(volumes(&client).expect("an answer"), "a b");
    dockerd.kill();
    let begun = Instant::now();
    assert_eq!(io_kind(&volumes(&client).unwrap_err()), Some(ErrorKind::ConnectionRefused));
    assert!(begun.elapsed() >= Duration::from_millis(250) && begun.elapsed() < Duration::from_secs(5));
    let begun = Instant::now();
    assert!(block_on(client.ping()).is_err(), "a check wants to know now");
    assert!(begun.elapsed() < Duration::from_millis(250));
}

/// Breaks the first answer off after `len` bytes.
fn breaks_once(reply: Reply, len: usize) -> impl FnMut(&Asked) -> Reply + Send + 'static {
    let mut first = true;
    move |_| if std::mem::take(&mut first) { reply.clone().cut(len) } else { reply.clone() }
}

#[test]
fn only_what_can_be_said_twice_is_said_again() {
    let dockerd = Dockerd::start("twice", always(Reply::json(200, VOLUMES)));
    let client = client(&dockerd, Limits::DEFAULT);
    for len in [0, 10, 90] {
        dockerd.script(breaks_once(Reply::json(200, VOLUMES), len));
        assert_eq!(volumes(&client).expect("the second time"), "a b");
        assert_eq!(dockerd.asked().len(), 2);
        dockerd.script(breaks_once(Reply::json(200, "{}"), len.min(40)));
        block_on(client.remove_volume("a")).expect("removed");
        assert_eq!(dockerd.asked().len(), 2);
        dockerd.script(breaks_once(Reply::json(200, "{}"), len.min(40)));
        let error = block_on(client.update_service("web", 7, "{}", None)).unwrap_err();
        assert_eq!(io_kind(&error), Some(ErrorKind::UnexpectedEof));
        assert_eq!(dockerd.asked().len(), 1, "it may have been heard");
    }
    // But where the kept connection is seen dead, nothing was said yet.
    dockerd.script(always(Reply::json(200, "{}")));
    assert!(block_on(client.update_service("web", 7, "{}", None)).is_ok());
    dockerd.hang_up();
    dockerd.asked();
    assert!(block_on(client.update_service("web", 7, "{}", None)).is_ok());
    assert_eq!(dockerd.asked(), ["POST /v1.41/services/web/update?version=7&registryAuthFrom=spec"]);
}

/// Answers version `minor` only, in JSON or in text, as dockerd does.
fn speaks(minor: u32, json: bool) -> impl FnMut(&Asked) -> Reply + Send + 'static {
    move |asked| {
        let version = asked.line.split('/').nth(1).expect("a path").to_owned();
        let theirs: u32 = version.strip_prefix("v1.").expect("a version").parse().expect("a number");
        if theirs == minor {
            return Reply::json(200, VOLUMES);
        }
        let how = if theirs < minor { "old. Minimum" } else { "new. Maximum" };
        let words = format!("client version 1.{theirs} is too {how} supported API version is 1.{minor}");
        if json {
            return Reply::json(400, &format!(r#"{{"message":"{words}"}}"#));
        }
        let len = words.len() + 1;
        Reply::bytes(format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {len}\r\n\r\n{words}\n"))
    }
}

#[test]
fn the_version_follows_the_daemon() {
    let dockerd = Dockerd::start("version", speaks(41, true));
    let client = client(&dockerd, IMPATIENT);
    assert_eq!(volumes(&client).expect("1.41"), "a b");
    for (minor, json) in [(44, true), (41, false), (55, false), (44, true)] {
        dockerd.set_minor(minor);
        dockerd.script(speaks(minor, json));
        dockerd.asked();
        assert_eq!(volumes(&client).expect("negotiated again"), "a b");
        assert_eq!(dockerd.asked().len(), 2);
        assert_eq!(volumes(&client).expect("and kept"), "a b");
        assert_eq!(dockerd.asked().len(), 1);
    }
    dockerd.set_minor(52);
    dockerd.script(speaks(52, true));
    block_on(client.update_service("web", 7, "{}", None)).expect("refused before anything was done");
    assert_eq!(dockerd.asked().len(), 2);
    // A daemon that contradicts itself is asked no third time.
    dockerd.script(speaks(41, true));
    assert_eq!(volumes(&client).unwrap_err().status(), Some(400));
    assert_eq!(dockerd.asked().len(), 2);
    // A newer one, after a restart, is spoken to in its own version though it would bear ours.
    dockerd.script(always(Reply::json(200, VOLUMES)));
    dockerd.set_minor(56);
    dockerd.hang_up();
    assert_eq!(volumes(&client).expect("1.56"), "a b");
    assert!(dockerd.asked()[0].starts_with("GET /v1.56/volumes?"));
    dockerd.set_minor(40);
    dockerd.hang_up();
    let error = volumes(&client).unwrap_err().to_string();
    assert!(error.contains("API 1.40 at most, 1.41 is needed"), "{error}");
}

/// Each call with what it says: request line, and body.
#[test]
fn calls_say_what_the_engine_api_asks_for() {
    let (sender, said) = std::sync::mpsc::channel();
    let dockerd = Dockerd::start("calls", move |asked| {
        sender.send((asked.line.clone(), asked.body.clone(), asked.head.clone())).expect("heard");
        Reply::json(200, r#"{"Id":"x","SpaceReclaimed":7,"Volumes":null}"#)
    });
    let client = client(&dockerd, IMPATIENT);
    let app = Reference::parse("10.0.10.40:5000/app:v1").expect("a reference");
    let expect = |line: &str, body: &str| {
        let (found, sent, head) = said.recv().expect("a request");
        assert_eq!((found.as_str(), sent.as_str()), (line, body));
        assert_eq!(head.contains("Content-Type: application/json\r\n"), !body.is_empty());
        head
    };
    let update = "POST /v1.41/services/web/update?version=18446744073709551615&registryAuthFrom=";
    block_on(async {
        client.update_service("web", u64::MAX, r#"{"a":1.0}"#, Some("e30=")).await.expect("ok");
        let head = expect(&format!("{update}spec"), r#"{"a":1.0}"#);
        assert!(head.contains("X-Registry-Auth: e30=\r\n"));
        client.roll_back_service("web", u64::MAX, "{}").await.expect("ok");
        expect(&format!("{update}previous-spec&rollback=previous"), "{}");
        client.distribution(&app, Some("e30=")).await.expect("ok");
        let head = expect("GET /v1.41/distribution/10.0.10.40:5000/app:v1/json", "");
        assert!(head.contains("X-Registry-Auth: e30=\r\n"));
        assert_eq!(client.create_container("a", "{}").await.expect("ok"), "x");
        expect("POST /v1.41/containers/create?name=a", "{}");
        client.start_container("a").await.expect("ok");
        expect("POST /v1.41/containers/a/start", "");
        client.stop_container("a").await.expect("ok");
        expect("POST /v1.41/containers/a/stop", "");
        client.rename_container("a", "b c").await.expect("ok");
        expect("POST /v1.41/containers/a/rename?name=b%20c", "");
        client.remove_container("a", false).await.expect("ok");
        expect("DELETE /v1.41/containers/a?v=0", "");
        client.remove_container("a", true).await.expect("ok");
        expect("DELETE /v1.41/containers/a?v=1", "");
        client.connect_network("n", "a", r#"{"Aliases":["b"]}"#).await.expect("ok");
        expect("POST /v1.41/networks/n/connect", r#"{"Container":"a","EndpointConfig":{"Aliases":["b"]}}"#);
        client.disconnect_network("n", "a").await.expect("ok");
        expect("POST /v1.41/networks/n/disconnect", r#"{"Container":"a"}"#);
        client.pull_image(&app, None).await.expect("ok");
        expect("POST /v1.41/images/create?fromImage=10.0.10.40%3A5000%2Fapp&tag=v1", "");
        client.remove_image("10.0.10.40:5000/app:v1").await.expect("ok");
        expect("DELETE /v1.41/images/10.0.10.40:5000/app:v1", "");
        assert!(client.dangling_volumes().await.expect("ok").is_empty());
        expect("GET /v1.41/volumes?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D", "");
        client.remove_volume("a").await.expect("ok");
        expect("DELETE /v1.41/volumes/a", "");
        assert_eq!(client.prune_build_cache(Duration::from_secs(1_800)).await.expect("ok"), 7);
        expect("POST /v1.41/build/prune?filters=%7B%22until%22%3A%5B%221800s%22%5D%7D", "");
        client.events(Some(1_795_365_356_000_000_007)).await.expect("ok");
        expect("GET /v1.41/events?since=1795365356.000000007", "");
        assert!(client.remove_volume("../containers/a").await.is_err(), "and nothing was said");
    });
    assert!(said.try_recv().is_err());
}

#[test]
fn an_error_within_a_pull_is_an_error() {
    let lines = "{\"status\":\"Pulling from app\"}\r\n{\"errorDetail\":{\"message\":\"toomanyrequests: slow down\"},\"error\":\"toomanyrequests: slow down\"}\r\n";
    let dockerd = Dockerd::start("pull", always(Reply::chunks(lines.as_bytes(), 9)));
    let client = client(&dockerd, IMPATIENT);
    let app = Reference::parse("app").expect("a reference");
    let error = block_on(client.pull_image(&app, None)).unwrap_err();
    assert_eq!(error.to_string(), "POST /images/create: toomanyrequests: slow down");
    dockerd.script(always(Reply::chunks(b"{\"status\":\"Pulling\"}\r\n", 9).cut(70)));
    let error = block_on(client.pull_image(&app, None)).unwrap_err();
    assert_eq!(io_kind(&error), Some(ErrorKind::UnexpectedEof));
}

#[test]
fn no_line_of_a_stream_is_lost() {
    let recorded = fs::read_to_string("tests/data/docker/events-service-update.jsonl").expect("a recording");
    let expected: Vec<&str> = recorded.lines().filter(|line| !line.is_empty()).collect();
    assert!(expected.len() > 5);
    let dockerd = Dockerd::start("events", always(Reply::json(200, "")));
    let client = client(&dockerd, IMPATIENT);
    for reply in [
        Reply::chunks(recorded.as_bytes(), 100).paced(37, Duration::from_micros(200)),
        until_close(&recorded),
    ] {
        dockerd.script(always(reply));
        let lines = block_on(async {
            let mut stream = client.events(None).await.expect("a stream");
            let mut lines = Vec::new();
            loop {
                // Whoever waits for two things drops the other one's future again and again.
                let pause = async {
                    smol::Timer::after(Duration::from_micros(500)).await;
                    None
                };
                match or(async { Some(stream.line().await.expect("a line").map(<[u8]>::to_vec)) }, pause)
                    .await
                {
                    Some(Some(line)) => lines.push(String::from_utf8(line).expect("text")),
                    Some(None) => return lines,
                    None => {}
                }
            }
        });
        assert_eq!(lines, expected);
    }
    dockerd.script(always(until_close(&"x".repeat(300_000))));
    let error = block_on(async { client.events(None).await.expect("a stream").line().await.map(|_| ()) });
    assert!(matches!(error.unwrap_err().cause, Cause::Malformed(_)));
}

/// Serves what a dockerd 20.10 answered, and hands out its body.
fn recorded(dockerd: &Dockerd, name: &str) -> Value {
    let text = fs::read_to_string(format!("tests/data/docker/{name}.json")).expect("a recording");
    let recording: Value = serde_json::from_str(&text).expect("JSON");
    let status = u16::try_from(recording["status"].as_u64().expect("a status")).expect("small");
    let body = &recording["body"];
    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    dockerd.script(always(Reply::json(status, &text)));
    body.clone()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_a_real_dockerd_answered_is_understood() {
    let dockerd = Dockerd::start("recorded", always(Reply::json(200, "")));
    let client = client(&dockerd, IMPATIENT);
    let app = Reference::parse("10.0.10.40:5000/app").expect("a reference");
    let read = AtomicU32::new(0);
    let of = |name: &str| {
        read.fetch_add(1, Ordering::Relaxed);
        recorded(&dockerd, name)
    };
    block_on(async {
        for name in ["info", "worker-info", "noswarm-info", "no-quorum-info"] {
            of(name);
            client.info().await.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let body = of("info");
        let info = client.info().await.expect("info");
        assert_eq!((info.name.as_str(), info.swarm.control_available), ("pi1", true));
        assert_eq!(info.swarm.node_id, body["Swarm"]["NodeID"].as_str().expect("an ID"));
        for name in ["nodes", "nodes-one-down"] {
            of(name);
            let nodes = client.nodes().await.expect(name);
            assert_eq!(nodes.len(), 3);
            assert!(
                nodes.iter().any(|node| node.manager_status.as_ref().is_some_and(|status| status.leader))
            );
        }
        let body = of("services");
        let services = client.services().await.expect("services");
        assert_eq!(services.len(), body.as_array().expect("a list").len());
        assert_eq!(services[0].version.index, 31);
        assert_eq!(services[0].spec.get(), body[0]["Spec"].to_string());
        assert_eq!(services[0].service_status.map(|status| status.desired_tasks), Some(3));
        for (name, state) in [
            ("service-inspect", None),
            ("service-inspect-published", None),
            ("update-ok-inspect", Some("completed")),
            ("update-fail-pause-inspect", Some("paused")),
            ("update-fail-rollback-inspect", Some("rollback_completed")),
        ] {
            let body = of(name);
            let service = client.service("x").await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let found = service.update_status.map(|status| status.state);
            assert_eq!(found.as_deref(), state, "{name}");
            assert_eq!(service.previous_spec.is_some(), body.get("PreviousSpec").is_some(), "{name}");
        }
        for name in ["tasks", "tasks-after-failed-update", "tasks-rejected-no-auth", "tasks-node-down"] {
            let body = of(name);
            let tasks = client.tasks("x").await.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!tasks.is_empty() && tasks.iter().all(|task| !task.status.state.is_empty()), "{name}");
            assert_eq!(tasks.len(), body.as_array().expect("a list").len());
        }
        for name in ["distribution", "distribution-auth-ok", "distribution-manifest-list"] {
            let body = of(name);
            let found = client.distribution(&app, None).await.expect(name);
            assert_eq!(found.descriptor.digest, body["Descriptor"]["digest"].as_str().expect("a digest"));
            assert_eq!(
                (found.platforms[0].architecture.as_str(), found.platforms[0].os.as_str()),
                ("amd64", "linux")
            );
        }
        for name in ["containers", "containers-after-update"] {
            let body = of(name);
            let containers = client.containers().await.expect(name);
            assert_eq!(containers[0].id, body[0]["Id"].as_str().expect("an ID"));
            assert!(
                containers.iter().all(|one| one.image_id.starts_with("sha256:") && !one.names.is_empty())
            );
        }
        for name in ["images", "images-digests-all", "images-pi3", "images-dangling", "images-swarm-pulled"] {
            let body = of(name);
            let images = client.images().await.expect(name);
            assert_eq!(images.len(), body.as_array().expect("a list").len());
            assert!(images.iter().all(|one| one.id.starts_with("sha256:") && one.size > 0), "{name}");
        }
        for name in ["volumes", "volumes-dangling"] {
            let body = of(name);
            let volumes = client.dangling_volumes().await.expect(name);
            assert_eq!(volumes.len(), body["Volumes"].as_array().expect("a list").len());
        }
        let body = of("container-inspect");
        assert_eq!(client.inspect_container("x").await.expect("a container").get(), body.to_string());
        let body = of("image-inspect");
        assert_eq!(client.inspect_image("x").await.expect("an image").get(), body.to_string());
        for (name, status) in [
            ("worker-nodes", 503),
            ("worker-services", 503),
            ("noswarm-services", 503),
            ("no-quorum-services", 500),
            ("container-404", 404),
            ("distribution-404", 404),
            ("distribution-auth-missing", 500),
            ("distribution-auth-wrong", 401),
            ("distribution-unreachable", 500),
            ("image-delete-409-stopped", 409),
            ("volume-delete-409", 409),
            ("update-stale-version", 500),
            ("update-no-version", 400),
            ("version-too-new", 400),
            ("version-too-old", 400),
        ] {
            let body = of(name);
            let error = client.update_service("x", 1, "{}", None).await.expect_err(name);
            assert_eq!(error.status(), Some(status), "{name}: {error}");
            let words = body["message"].as_str().or(body.as_str()).expect("words").trim();
            assert_eq!(error.to_string(), format!("POST /services/x/update: {status} {words}"));
            assert_eq!(error.is_out_of_sequence(), name == "update-stale-version");
        }
    });
    assert_eq!(read.into_inner(), 46, "recordings");
}
