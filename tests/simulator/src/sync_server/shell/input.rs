//! Standard input, read in chunks and handed out in lines.

use std::fs::File;
use std::io::{Read, Write as _};

const CHUNK: usize = 4096;

/// Lines of a stream. As with every reader that buffers, more may have been taken than was used.
#[derive(Debug)]
pub(super) struct Input<R> {
    stream: R,
    taken: Vec<u8>,
    copy: Option<File>,
}

impl<R: Read> Input<R> {
    pub(super) const fn new(stream: R) -> Self {
        Self {
            stream,
            taken: Vec::new(),
            copy: None,
        }
    }

    /// Copies everything that comes to a file as well.
    pub(super) fn copy_to(&mut self, file: File) {
        self.copy = Some(file);
    }

    /// The next line without its end; `None` at the end of the stream. Bytes beyond ASCII come out
    /// as another code page would have them.
    pub(super) fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.taken.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.taken.drain(..=end).collect();
                return Some(decoded(&line[..end]));
            }
            let mut chunk = [0; CHUNK];
            match self.stream.read(&mut chunk) {
                Ok(0) | Err(_) => {
                    let rest = std::mem::take(&mut self.taken);
                    return (!rest.is_empty()).then(|| decoded(&rest));
                }
                Ok(length) => {
                    self.taken.extend_from_slice(&chunk[..length]);
                    if let Some(copy) = &mut self.copy {
                        // A copy that cannot be written is found short by whoever wanted it.
                        let _ = copy.write_all(&chunk[..length]);
                    }
                }
            }
        }
    }

    /// Forgets what was taken and not used.
    pub(super) fn lose_what_was_taken(&mut self) {
        self.taken.clear();
    }
}

fn decoded(bytes: &[u8]) -> String {
    let letters = bytes.iter().map(|byte| match byte {
        0..=0x7f => char::from(*byte),
        _ => '\u{2592}',
    });
    letters
        .collect::<String>()
        .trim_end_matches('\r')
        .to_owned()
}
