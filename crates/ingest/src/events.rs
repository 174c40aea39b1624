//! Splits a stream into events, in bounded memory.

use std::io::{self, BufRead, Read as _};

use crate::array::Array;
use crate::refusal::Refusal;
use crate::usage::MOST_BYTES;

/// Reads events from a stream: one JSON object a line, or one JSON array of objects.
///
/// Blank lines, CRLF and a byte order mark are skipped. Nothing is checked but size: what an item holds is for
/// [`usage`](crate::usage()) to read. An item that is too large is refused without being held in memory, and reading goes on
/// behind it.
pub struct Events<R> {
    input: R,
    /// The line that is read next, counted from 1.
    line: u64,
    shape: Shape,
}

enum Shape {
    Unknown,
    Lines { read_ahead: Vec<u8> },
    Array(Array),
    Over,
}

/// One event as it stood in the stream, or why it could not be taken out of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// The line on which it begins, counted from 1.
    pub line: u64,
    /// Its bytes.
    pub event: Result<Vec<u8>, Refusal>,
}

impl<R: BufRead> Events<R> {
    /// Reads from the start of `input`.
    pub fn new(input: R) -> Self {
        Self { input, line: 1, shape: Shape::Unknown }
    }

    /// Skips what may stand before the first event, and tells lines from an array by its first byte.
    fn shape(&mut self) -> io::Result<Shape> {
        const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];
        let mut read_ahead = Vec::new();
        while read_ahead.len() < 3 && peek(&mut self.input)? == Some(BYTE_ORDER_MARK[read_ahead.len()]) {
            read_ahead.push(BYTE_ORDER_MARK[read_ahead.len()]);
            self.input.consume(1);
        }
        if read_ahead == BYTE_ORDER_MARK {
            read_ahead.clear();
        }
        if !read_ahead.is_empty() {
            return Ok(Shape::Lines { read_ahead });
        }
        skip_space(&mut self.input, &mut self.line)?;
        Ok(if peek(&mut self.input)? == Some(b'[') {
            self.input.consume(1);
            Shape::Array(Array::default())
        } else {
            Shape::Lines { read_ahead }
        })
    }

    fn next_found(&mut self) -> io::Result<Option<Found>> {
        if matches!(self.shape, Shape::Unknown) {
            self.shape = self.shape()?;
        }
        match &mut self.shape {
            Shape::Unknown | Shape::Over => Ok(None),
            Shape::Lines { read_ahead } => {
                let read_ahead = std::mem::take(read_ahead);
                next_line(&mut self.input, &mut self.line, read_ahead)
            }
            Shape::Array(array) => array.next(&mut self.input, &mut self.line),
        }
    }
}

impl<R: BufRead> Iterator for Events<R> {
    type Item = io::Result<Found>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.next_found().transpose();
        if !matches!(found, Some(Ok(_))) {
            self.shape = Shape::Over;
        }
        found
    }
}

fn next_line(input: &mut impl BufRead, line: &mut u64, mut event: Vec<u8>) -> io::Result<Option<Found>> {
    loop {
        let room = (MOST_BYTES + b"\r\n".len()) as u64;
        let read = input.by_ref().take(room).read_until(b'\n', &mut event)?;
        if read == 0 && event.is_empty() {
            return Ok(None);
        }
        let at = *line;
        *line += 1;
        let ended = event.last() == Some(&b'\n');
        let rest = if ended { 0 } else { input.skip_until(b'\n')? };
        let whole = event.len();
        event.truncate(event.trim_ascii_end().len());
        if rest > 0 || event.len() > MOST_BYTES {
            return Ok(Some(Found { line: at, event: Err(too_large(whole + rest)) }));
        }
        if !event.is_empty() {
            return Ok(Some(Found { line: at, event: Ok(event) }));
        }
    }
}

pub(crate) fn too_large(bytes: usize) -> Refusal {
    Refusal::TooLarge { bytes: bytes as u64, most: MOST_BYTES as u64 }
}

pub(crate) fn peek(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    Ok(input.fill_buf()?.first().copied())
}

/// Goes on to the next byte that is no white space, counting lines.
pub(crate) fn skip_space(input: &mut impl BufRead, line: &mut u64) -> io::Result<()> {
    while let Some(b' ' | b'\t' | b'\r' | b'\n') = peek(input)? {
        *line += u64::from(peek(input)? == Some(b'\n'));
        input.consume(1);
    }
    Ok(())
}
