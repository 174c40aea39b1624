//! One JSON array of events, element by element.

use std::io::{self, BufRead};

use crate::events::{Found, peek, skip_space, too_large};
use crate::refusal::Refusal;
use crate::usage::MOST_BYTES;

/// Where in the array reading stands.
#[derive(Clone, Copy, Default)]
pub(crate) enum Array {
    /// Behind its opening bracket.
    #[default]
    Opened,
    /// Behind an element.
    Within,
    /// Behind its end, or where it breaks off.
    Over,
}

impl Array {
    pub(crate) fn next(&mut self, input: &mut impl BufRead, line: &mut u64) -> io::Result<Option<Found>> {
        skip_space(input, line)?;
        match (*self, peek(input)?) {
            (Self::Over, _) => return Ok(None),
            (Self::Opened | Self::Within, Some(b']')) => return self.close(input, line),
            (Self::Within, Some(b',')) => {
                input.consume(1);
                skip_space(input, line)?;
            }
            (Self::Opened, Some(_)) => {}
            // An element goes up to a comma, a bracket or the end of the input, so this is the end.
            (Self::Opened | Self::Within, _) => return Ok(Some(self.break_off(*line))),
        }
        if matches!(peek(input)?, None | Some(b',' | b']')) {
            return Ok(Some(self.break_off(*line)));
        }
        *self = Self::Within;
        let begins = *line;
        Ok(Some(Found { line: begins, event: element(input, line)? }))
    }

    fn close(&mut self, input: &mut impl BufRead, line: &mut u64) -> io::Result<Option<Found>> {
        input.consume(1);
        *self = Self::Over;
        skip_space(input, line)?;
        Ok(peek(input)?.map(|_| self.break_off(*line)))
    }

    fn break_off(&mut self, line: u64) -> Found {
        *self = Self::Over;
        Found { line, event: Err(Refusal::ArrayBreaksOff) }
    }
}

/// The elements of an array that is wholly there, each as it stands; that each is JSON is not looked at.
///
/// None if it breaks off, or if something stands behind it.
pub(crate) fn elements(array: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = array.strip_prefix(b"[")?.strip_suffix(b"]")?;
    if rest.trim_ascii().is_empty() {
        return Some(Vec::new());
    }
    let mut elements = Vec::new();
    loop {
        let mut place = Place::default();
        let end = rest.iter().position(|byte| place.ends_before(*byte));
        let element = rest[..end.unwrap_or(rest.len())].trim_ascii();
        if element.is_empty() {
            return None;
        }
        elements.push(element);
        match end {
            Some(end) if rest[end] == b',' => rest = &rest[end + 1..],
            Some(_) => return None,
            None => return (place.depth == 0 && !place.quoted).then_some(elements),
        }
    }
}

/// Reads up to the comma or bracket behind the element, whatever stands before it.
fn element(input: &mut impl BufRead, line: &mut u64) -> io::Result<Result<Vec<u8>, Refusal>> {
    let mut event = Vec::with_capacity(512);
    let mut place = Place::default();
    let mut length = 0;
    loop {
        let chunk = input.fill_buf()?;
        let end = chunk.iter().position(|b| place.ends_before(*b));
        let part = &chunk[..end.unwrap_or(chunk.len())];
        length += part.len();
        *line += part.iter().filter(|b| **b == b'\n').count() as u64;
        let room = (MOST_BYTES + 1).saturating_sub(event.len());
        event.extend_from_slice(&part[..part.len().min(room)]);
        let (consumed, over) = (part.len(), end.is_some() || chunk.is_empty());
        input.consume(consumed);
        if over {
            break;
        }
    }
    event.truncate(event.trim_ascii_end().len());
    Ok(if event.len() > MOST_BYTES { Err(too_large(length)) } else { Ok(event) })
}

/// Where within an element a byte stands.
#[derive(Default)]
struct Place {
    depth: usize,
    quoted: bool,
    escaped: bool,
}

impl Place {
    /// Whether the element is over before this byte; else steps behind it.
    fn ends_before(&mut self, byte: u8) -> bool {
        if self.quoted {
            self.quoted = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return false;
        }
        match byte {
            b'"' => self.quoted = true,
            b'{' | b'[' => self.depth += 1,
            b'}' => self.depth = self.depth.saturating_sub(1),
            b',' | b']' if self.depth == 0 => return true,
            b']' => self.depth -= 1,
            _ => {}
        }
        false
    }
}
