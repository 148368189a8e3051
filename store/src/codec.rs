//! Raw log rows, packed small: zstd level 1 with a dictionary.
//!
//! Packing makes writing faster, not slower: less goes to the disk. Each row names its dictionary,
//! so that a later version can bring a better one and still read old rows.

use std::io::Cursor;
use std::sync::OnceLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::compress_bound;

use crate::error::StoreError;

const LEVEL: i32 = 1;
/// Dictionary of rows written today.
pub(crate) const CURRENT: i16 = 1;
/// Trained on the shapes of log rows in the file beside it: it holds what rows have in common and
/// how often each byte comes, so that a row needs no tables of its own.
const DICTIONARY_1: &[u8] = include_bytes!("../dictionaries/1.zdict");
/// A row never unpacks to more than this; Graph pages are smaller.
const LARGEST_ROW: usize = 16 * 1024 * 1024;

fn encoder() -> &'static EncoderDictionary<'static> {
    static ENCODER: OnceLock<EncoderDictionary<'static>> = OnceLock::new();
    ENCODER.get_or_init(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL))
}

fn decoder() -> &'static DecoderDictionary<'static> {
    static DECODER: OnceLock<DecoderDictionary<'static>> = OnceLock::new();
    DECODER.get_or_init(|| DecoderDictionary::copy(DICTIONARY_1))
}

/// Packs rows one by one; make one per page, its tables are worth keeping.
pub(crate) struct Packer(Compressor<'static>);

impl Packer {
    pub(crate) fn new() -> Result<Self, StoreError> {
        let compressor = Compressor::with_prepared_dictionary(encoder());
        compressor.map(Self).map_err(|source| StoreError::Codec {
            operation: "prepare to pack",
            source,
        })
    }

    /// Adds the packed row to `packed`.
    pub(crate) fn pack_into(&mut self, raw: &[u8], packed: &mut Vec<u8>) -> Result<(), StoreError> {
        packed.reserve(compress_bound(raw.len()));
        let start = packed.len() as u64;
        let mut behind = Cursor::new(packed);
        behind.set_position(start);
        self.0
            .compress_to_buffer(raw, &mut behind)
            .map(drop)
            .map_err(|source| StoreError::Codec {
                operation: "pack",
                source,
            })
    }
}

/// Unpacks a row written under `dictionary`.
pub(crate) fn unpack(dictionary: i16, packed: &[u8]) -> Result<Vec<u8>, StoreError> {
    if dictionary != CURRENT {
        return Err(StoreError::Row {
            table: "observation",
            column: "dictionary",
            found: dictionary.to_string(),
        });
    }
    let unpack = || {
        let mut decompressor = Decompressor::with_prepared_dictionary(decoder())?;
        let size = Decompressor::upper_bound(packed)
            .unwrap_or(LARGEST_ROW)
            .min(LARGEST_ROW);
        decompressor.decompress(packed, size)
    };
    unpack().map_err(|source| StoreError::Codec {
        operation: "unpack",
        source,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn pack(raw: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        Packer::new().unwrap().pack_into(raw, &mut packed).unwrap();
        packed
    }

    /// The shapes of log rows that the dictionary was trained on.
    const SHAPES: &str = include_str!("../dictionaries/1.samples.jsonl");

    #[test]
    fn rows_unpack_to_what_they_were() {
        for raw in [&b"{}"[..], b"", DICTIONARY_1, "ü\u{1F600}".as_bytes()] {
            let packed = pack(raw);
            assert_eq!(unpack(CURRENT, &packed).unwrap(), raw);
        }
    }

    #[test]
    fn rows_of_a_known_shape_pack_to_a_quarter() {
        let packed: usize = SHAPES
            .lines()
            .map(|shape| pack(shape.as_bytes()).len())
            .sum();
        assert!(packed * 4 < SHAPES.len(), "{packed} of {}", SHAPES.len());
    }

    #[test]
    fn damage_and_unknown_dictionaries_are_errors() {
        let packed = pack(SHAPES.as_bytes());
        assert!(unpack(CURRENT, &packed[..packed.len() / 2]).is_err());
        assert!(unpack(99, &packed).is_err());
    }
}
