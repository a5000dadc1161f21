//! What stands round the content of a file: magic with version, CRC-32, then postcard. Pure.

use core::fmt;
use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// CRC-32 as in Ethernet and gzip. Without a table: a file is small and seldom read, and the table would take 16 KiB.
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);
/// First bytes of a file: what it is, and the version of its layout in the last byte.
pub type Magic = [u8; 8];
/// Bytes of the magic that are the same in all versions.
const NAME: usize = 7;
/// Where the content begins: behind the magic and its CRC-32, little-endian.
pub const HEAD: usize = 8 + 4;

/// Why bytes are not what was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// Something else's file.
    Foreign,
    /// This program's, in the layout of another version.
    Version {
        /// The file's.
        found: u8,
        /// The one that is read.
        expected: u8,
    },
    /// Cut short or changed: the checksum differs.
    Torn,
    /// The checksum is right, the content is not.
    Content,
    /// More bytes or entries than are ever written.
    Size,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("it is not a state file"),
            Self::Version { found, expected } => {
                write!(f, "its layout is version {found}, not {expected}")
            }
            Self::Torn => f.write_str("it is torn (power loss, or a bad card?)"),
            Self::Content => f.write_str("its content makes no sense"),
            Self::Size => f.write_str("it is larger than a state can be"),
        }
    }
}

impl core::error::Error for FileError {}

/// The file of `content`.
///
/// # Errors
/// [`FileError::Size`] where it is larger than `limit`.
pub fn emit<T: Serialize>(magic: Magic, content: &T, limit: usize) -> Result<Vec<u8>, FileError> {
    let mut bytes = postcard::to_extend(content, vec![0; HEAD]).map_err(|_| FileError::Content)?;
    if bytes.len() > limit {
        return Err(FileError::Size);
    }
    let head = head(magic, &bytes[HEAD..]);
    bytes[..HEAD].copy_from_slice(&head);
    Ok(bytes)
}

/// What stands in front of `content`.
pub fn head(magic: Magic, content: &[u8]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..magic.len()].copy_from_slice(&magic);
    head[magic.len()..].copy_from_slice(&CRC.checksum(content).to_le_bytes());
    head
}

/// The content of a file of these bytes.
///
/// # Errors
/// [`FileError`].
pub fn parse<T: DeserializeOwned>(magic: Magic, bytes: &[u8], limit: usize) -> Result<T, FileError> {
    match postcard::take_from_bytes(content(magic, bytes, limit)?) {
        Ok((content, [])) => Ok(content),
        Ok(_) | Err(_) => Err(FileError::Content),
    }
}

fn content(magic: Magic, bytes: &[u8], limit: usize) -> Result<&[u8], FileError> {
    if bytes.len() > limit {
        return Err(FileError::Size);
    }
    let Some((found, rest)) = bytes.split_first_chunk::<{ size_of::<Magic>() }>() else {
        return Err(if magic.starts_with(bytes) { FileError::Torn } else { FileError::Foreign });
    };
    if found[..NAME] != magic[..NAME] {
        return Err(FileError::Foreign);
    }
    if found[NAME] != magic[NAME] {
        return Err(FileError::Version { found: found[NAME], expected: magic[NAME] });
    }
    let (checksum, content) = rest.split_first_chunk().ok_or(FileError::Torn)?;
    if CRC.checksum(content) == u32::from_le_bytes(*checksum) { Ok(content) } else { Err(FileError::Torn) }
}
