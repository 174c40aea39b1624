//! How a stream falls into events.
#![allow(clippy::unwrap_used)]

use std::io::{self, BufRead, BufReader, Read};

use ingest::{Events, MOST_BYTES, Stamp, usage};
use ledger::{Instant, decode};

/// What is found, as `line: event`, whatever the reader's buffer holds at a time.
fn check(input: impl AsRef<[u8]>, found: &[&str]) {
    for buffer in [1, 2, 3, 7, 64, 1 << 20] {
        let events = Events::new(BufReader::with_capacity(buffer, input.as_ref()));
        let shown: Vec<String> = events
            .map(Result::unwrap)
            .map(|f| match f.event {
                Ok(event) => format!("{}: {}", f.line, String::from_utf8_lossy(&event)),
                Err(refusal) => format!("{}: {refusal}", f.line),
            })
            .collect();
        assert_eq!(shown, found, "read by {buffer}");
    }
}

#[test]
fn one_event_a_line() {
    check("", &[]);
    check("\n \r\n\n", &[]);
    check("{\"a\":1}\n{\"b\":2}\n", &["1: {\"a\":1}", "2: {\"b\":2}"]);
    check("\u{feff}{}\r\n\r\n  \n { } \r\n{}", &["1: {}", "4:  { }", "5: {}"]);
    check("\u{feff}\r\n{}", &["2: {}"]);
    check(b"\xef\xbbx\n{}", &["1: \u{fffd}x", "2: {}"]);
    check("null\n[1]\n", &["1: null", "2: [1]"]);
}

#[test]
fn one_array_of_events() {
    check("[]", &[]);
    check(" \n [ ] \n", &[]);
    check(
        "\u{feff}[{\"a\":\"],}{\\\"\"},{\"b\":[1,[2]]}]\n",
        &["1: {\"a\":\"],}{\\\"\"}", "1: {\"b\":[1,[2]]}"],
    );
    check("[\r\n  {\"a\":\n   1},\r\n\r\n  {}\r\n]\r\n", &["2: {\"a\":\n   1}", "5: {}"]);
    check("[1 , \"a,b\", null]", &["1: 1", "1: \"a,b\"", "1: null"]);
    check("[{} {}, {}]", &["1: {} {}", "1: {}"]);
}

#[test]
fn an_array_that_breaks_off_says_so() {
    let broken =
        "the array breaks off here, nothing after this line was read: write [event,event,…] and close it";
    check("[", &[&format!("1: {broken}")]);
    check("[{}", &["1: {}", &format!("1: {broken}")]);
    check("[{},\n", &["1: {}", &format!("2: {broken}")]);
    check("[{},\n]", &["1: {}", &format!("2: {broken}")]);
    check("[,{}]", &[&format!("1: {broken}")]);
    check("[{\"a\":\"", &["1: {\"a\":\"", &format!("1: {broken}")]);
    check("[{}]\n[{}]", &["1: {}", &format!("2: {broken}")]);
}

#[test]
fn what_is_too_large_is_passed_over() {
    let message = |bytes: usize| {
        format!(
            "the event has {bytes} bytes, more than 131072: keep what is large elsewhere and send a reference to it"
        )
    };
    let most = "x".repeat(MOST_BYTES);
    for end in ["\n", "\r\n"] {
        check(format!("{{}}{end}{most}{end}{{}}"), &["1: {}", &format!("2: {most}"), "3: {}"]);
        for more in [1, 2, 3, 200_000] {
            let large = "x".repeat(MOST_BYTES + more);
            let refused = message(large.len());
            let with_end = message(large.len() + end.len());
            check(format!("{{}}{end}{large}{end}{{}}"), &["1: {}", &format!("2: {with_end}"), "3: {}"]);
            check(format!("{{}}{end}{large}"), &["1: {}", &format!("2: {refused}")]);
            check(format!("[{{}},\n{large},{end}{{}}]"), &["1: {}", &format!("2: {refused}"), "3: {}"]);
        }
    }
    check(format!("[{most}]"), &[&format!("1: {most}")]);
}

#[test]
fn a_stream_larger_than_memory_is_read_in_bounded_memory() {
    let (size, rest) = (1 << 32, "\n{}\n");
    let input = BufReader::with_capacity(1 << 20, io::repeat(b'x').take(size).chain(rest.as_bytes()));
    let found: Vec<_> = Events::new(input).map(Result::unwrap).collect();
    assert_eq!(found.iter().map(|f| (f.line, f.event.is_ok())).collect::<Vec<_>>(), [(1, false), (2, true)]);
}

#[test]
fn a_reader_that_fails_ends_it() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    impl BufRead for Failing {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            Err(io::Error::other("unplugged"))
        }
        fn consume(&mut self, _: usize) {}
    }
    for start in ["", "{}\n", "[{},"] {
        let mut events = Events::new(BufReader::new(start.as_bytes()).chain(Failing));
        let good = events.by_ref().take_while(Result::is_ok).count();
        assert_eq!(good, usize::from(!start.is_empty()), "{start}");
        assert!(events.next().is_none(), "{start}");
    }
}

#[test]
fn a_file_that_a_script_wrote() {
    let line = |id: &str, tokens: &str| {
        format!(
            concat!(
                r#"{{"specversion": "1.0", "id": "{}", "source": "/llm/chat", "type": "llm.completion", "#,
                r#""subject": "wallet-000012", "time": "2023-11-16T18:15:46.680590Z", "#,
                r#""datacontenttype": "application/json", "#,
                r#""data": {{"model": "small \u00b5", "input_tokens": {}, "output_tokens": 44}}}}"#
            ),
            id, tokens
        )
    };
    let file = [line("0-1", "374"), line("0-2", "NaN"), line("0-3", "1e-05")].join("\n");
    let now = Instant::parse("2026-01-31T00:00:00Z").unwrap();
    let stamp = Stamp { now, by: "operator", backfill: false };
    let answers: Vec<String> = Events::new(file.as_bytes())
        .map(Result::unwrap)
        .map(|found| {
            let answer = found.event.as_ref().map_err(Clone::clone).and_then(|event| usage(event, &stamp));
            match answer {
                Ok(stamped) => format!("{}: {}", found.line, decode(&stamped.bytes).unwrap().envelope.id),
                Err(refusal) => format!("{}: {refusal}", found.line),
            }
        })
        .collect();
    assert_eq!(
        answers,
        ["1: 0-1", "2: the event is not JSON: expected value at column 242", "3: 0-3"],
        "{file}"
    );
}
